package main

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// filler fills objects with values that a client could send; about half of all optional fields stay empty.
type filler struct {
	random *rand.Rand
}

var words = []string{"", "a", "web", "Zürich", "line\nbreak", "\"quoted\"", "null", "1", "\u2028", "<&>"}

func (f filler) fill(object runtime.Object) error {
	return f.value(reflect.ValueOf(object).Elem())
}

func (f filler) value(value reflect.Value) error {
	if made := f.special(value.Type()); made.IsValid() {
		value.Set(made)
		return nil
	}
	switch value.Kind() {
	case reflect.Struct:
		return f.structure(value)
	case reflect.Pointer:
		value.Set(reflect.New(value.Type().Elem()))
		return f.value(value.Elem())
	case reflect.Slice:
		return f.slice(value)
	case reflect.Map:
		return f.mapping(value)
	case reflect.String:
		value.SetString(words[f.random.IntN(len(words))])
	case reflect.Bool:
		value.SetBool(f.random.IntN(2) == 0)
	case reflect.Int32:
		value.SetInt(int64(int32(f.number())))
	case reflect.Int64:
		value.SetInt(f.number())
	default:
		return fmt.Errorf("cannot make up a %v", value.Type())
	}
	return nil
}

func (f filler) structure(value reflect.Value) error {
	for i := range value.NumField() {
		field := value.Type().Field(i)
		required := !strings.Contains(field.Tag.Get("json"), "omitempty") && field.Type.Kind() != reflect.Slice
		if field.Type == reflect.TypeFor[metav1.TypeMeta]() || !required && f.random.IntN(2) == 0 {
			continue
		}
		if err := f.value(value.Field(i)); err != nil {
			return err
		}
	}
	return nil
}

func (f filler) slice(value reflect.Value) error {
	// One element at least: protobuf cannot tell an empty list from none.
	value.Set(reflect.MakeSlice(value.Type(), 1+f.random.IntN(2), 2))
	if value.Type().Elem().Kind() == reflect.Uint8 {
		value.SetBytes([]byte(words[f.random.IntN(len(words))]))
		return nil
	}
	for i := range value.Len() {
		if err := f.value(value.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (f filler) mapping(value reflect.Value) error {
	value.Set(reflect.MakeMap(value.Type()))
	for range 1 + f.random.IntN(3) {
		key, element := reflect.New(value.Type().Key()).Elem(), reflect.New(value.Type().Elem()).Elem()
		if err := f.value(key); err != nil {
			return err
		}
		if err := f.value(element); err != nil {
			return err
		}
		value.SetMapIndex(key, element)
	}
	return nil
}

// number has every length on the wire, and both signs.
func (f filler) number() int64 {
	return int64(f.random.Uint64()) >> f.random.IntN(64)
}

func (f filler) special(goType reflect.Type) reflect.Value {
	var made any
	switch special[goType] {
	case "Time":
		made = metav1.Unix(f.random.Int64N(1<<33)-1<<32, 0)
	case "MicroTime":
		made = metav1.NewMicroTime(time.Unix(f.random.Int64N(1<<33), f.random.Int64N(1_000_000)*1000))
	case "FieldsV1":
		made = *metav1.NewFieldsV1(`{"f:metadata":{"f:labels":{".":{}}}}`)
	case "Quantity":
		made = resource.MustParse([]string{"0", "100m", "1", "2Gi", "1.5", "-3k"}[f.random.IntN(6)])
	case "IntOrString":
		made = []intstr.IntOrString{intstr.FromInt32(int32(f.number())), intstr.FromString("25%")}[f.random.IntN(2)]
	case "RawExtension":
		made = runtime.RawExtension{Raw: []byte(`{"kind":"Any","n":[1,null,"x"]}`)}
	default:
		return reflect.Value{}
	}
	return reflect.ValueOf(made)
}
