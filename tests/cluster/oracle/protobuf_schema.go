package main

import (
	"encoding"
	"fmt"
	"reflect"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
)

// The protobuf and JSON forms of a Kubernetes type are both told by the tags of its Go struct, so one walk over the
// registered types gives everything that is needed to turn one into the other.

// special are the types whose JSON is not that of their fields; their messages are known by name.
var special = map[reflect.Type]string{
	reflect.TypeFor[metav1.Time]():          "Time",
	reflect.TypeFor[metav1.MicroTime]():     "MicroTime",
	reflect.TypeFor[metav1.Duration]():      "Duration",
	reflect.TypeFor[metav1.FieldsV1]():      "FieldsV1",
	reflect.TypeFor[resource.Quantity]():    "Quantity",
	reflect.TypeFor[intstr.IntOrString]():   "IntOrString",
	reflect.TypeFor[runtime.RawExtension](): "RawExtension",
}

// protobufSchema lists kinds and messages, a line each; crates/kube-api/src/protobuf/schema.rs reads it.
//
//	kind apps/v1 Deployment apps.v1.Deployment
//	message apps.v1.Deployment
//	1 metadata opt meta.v1.ObjectMeta
func protobufSchema() (any, error) {
	walk := walker{messages: map[string][]string{}}
	var kinds []string
	for _, gvk := range writableKinds() {
		name, err := walk.message(scheme.Scheme.AllKnownTypes()[gvk])
		if err != nil {
			return nil, fmt.Errorf("%v: %w", gvk, err)
		}
		apiVersion, kind := gvk.ToAPIVersionAndKind()
		kinds = append(kinds, fmt.Sprintf("kind %s %s %s", apiVersion, kind, name))
	}
	names := make([]string, 0, len(walk.messages))
	for name := range walk.messages {
		names = append(names, name)
	}
	sort.Strings(names)
	lines := kinds
	for _, name := range names {
		lines = append(lines, "message "+name)
		lines = append(lines, walk.messages[name]...)
	}
	return lines, nil
}

// writableKinds are the kinds that a client sends: no lists, no options but those of a delete, no alpha versions, which
// no cluster serves unless it was asked to.
func writableKinds() []schema.GroupVersionKind {
	var kinds []schema.GroupVersionKind
	for gvk, goType := range scheme.Scheme.AllKnownTypes() {
		options := strings.HasPrefix(goType.PkgPath(), "k8s.io/apimachinery/")
		switch {
		case gvk.Version == runtime.APIVersionInternal, strings.Contains(gvk.Version, "alpha"):
		case options && gvk != corev1.SchemeGroupVersion.WithKind("DeleteOptions"):
		case strings.HasSuffix(gvk.Kind, "List"), strings.HasSuffix(gvk.Kind, "Options") && !options:
		default:
			kinds = append(kinds, gvk)
		}
	}
	sort.Slice(kinds, func(i, j int) bool { return kinds[i].String() < kinds[j].String() })
	return kinds
}

type walker struct {
	messages map[string][]string
}

// message adds the message of a struct, and those of its fields.
func (w walker) message(goType reflect.Type) (string, error) {
	name := messageName(goType)
	if _, ok := w.messages[name]; ok {
		return name, nil
	}
	w.messages[name] = nil
	lines, err := w.fields(goType)
	w.messages[name] = lines
	return name, err
}

func (w walker) fields(goType reflect.Type) ([]string, error) {
	var lines []string
	for i := range goType.NumField() {
		field := goType.Field(i)
		tag, ok := field.Tag.Lookup("protobuf")
		if !ok {
			if field.Type != reflect.TypeFor[metav1.TypeMeta]() {
				return nil, fmt.Errorf("%v.%s has no protobuf tag", goType, field.Name)
			}
			continue
		}
		line, err := w.field(field, tag)
		if err != nil {
			return nil, fmt.Errorf("%v.%s: %w", goType, field.Name, err)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// field is "NUMBER JSONNAME LABEL TYPE"; a dot for a name says that the message's fields stand beside the parent's.
func (w walker) field(field reflect.StructField, tag string) (string, error) {
	number := strings.Split(tag, ",")[1]
	name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
	if name == "" && (field.Anonymous || strings.Contains(options, "inline")) {
		name = "."
	}
	if name == "" || name == "-" {
		return "", fmt.Errorf("no JSON name")
	}
	goType, label := field.Type, "one"
	switch {
	case goType.Kind() == reflect.Map && goType.Key().Kind() == reflect.String:
		goType, label = goType.Elem(), "map"
	case goType.Kind() == reflect.Slice && goType.Elem().Kind() != reflect.Uint8 && !hasUnmarshal(goType):
		goType, label = goType.Elem(), "list"
	case goType.Kind() == reflect.Pointer:
		goType, label = goType.Elem(), "optional"
	case strings.Contains(options, "omit"):
		label = "nonzero"
	}
	typeName, err := w.typeName(goType)
	return fmt.Sprintf("%s %s %s %s", number, name, label, typeName), err
}

func (w walker) typeName(goType reflect.Type) (string, error) {
	if name, ok := special[goType]; ok {
		return name, nil
	}
	switch goType.Kind() {
	case reflect.Struct:
		if own := reflect.PointerTo(goType); own.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
			return "", fmt.Errorf("%v has a JSON of its own", goType)
		}
		return w.message(goType)
	case reflect.Slice:
		if goType.Elem().Kind() == reflect.Uint8 {
			return "bytes", nil
		}
		if hasUnmarshal(goType) && goType.Elem().Kind() == reflect.String {
			return "strings", nil
		}
	case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64:
		return goType.Kind().String(), nil
	}
	return "", fmt.Errorf("no protobuf form is known for %v", goType)
}

// hasUnmarshal tells a slice that is a message of its own (as ExtraValue) from a repeated field.
func hasUnmarshal(goType reflect.Type) bool {
	_, ok := reflect.New(goType).Interface().(interface{ Unmarshal([]byte) error })
	return ok
}

// messageName is "core.v1.Pod" for k8s.io/api/core/v1.Pod.
func messageName(goType reflect.Type) string {
	parts := strings.Split(goType.PkgPath(), "/")
	return strings.Join(parts[len(parts)-2:], ".") + "." + goType.Name()
}
