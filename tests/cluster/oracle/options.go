package main

import (
	"fmt"
	"net/url"

	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metascheme "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
)

// optionKind is how the API server reads a verb's query: it decodes into one type, which `out`, if set, shows with
// the JSON names of the public API.
type optionKind struct {
	into, out func() runtime.Object
}

// metaOptions are read by k8s.io/apiserver/pkg/endpoints/handlers.
var metaOptions = map[string]optionKind{
	"list":   {into: func() runtime.Object { return &internalversion.ListOptions{} }, out: func() runtime.Object { return &metav1.ListOptions{} }},
	"get":    {into: func() runtime.Object { return &metav1.GetOptions{} }},
	"create": {into: func() runtime.Object { return &metav1.CreateOptions{} }},
	"update": {into: func() runtime.Object { return &metav1.UpdateOptions{} }},
	"patch":  {into: func() runtime.Object { return &metav1.PatchOptions{} }},
	"delete": {into: func() runtime.Object { return &metav1.DeleteOptions{} }},
}

// coreOptions are read by the connect and get handlers of pod subresources.
var coreOptions = map[string]optionKind{
	"log":         {into: func() runtime.Object { return &core.PodLogOptions{} }, out: func() runtime.Object { return &corev1.PodLogOptions{} }},
	"exec":        {into: func() runtime.Object { return &core.PodExecOptions{} }, out: func() runtime.Object { return &corev1.PodExecOptions{} }},
	"attach":      {into: func() runtime.Object { return &core.PodAttachOptions{} }, out: func() runtime.Object { return &corev1.PodAttachOptions{} }},
	"portforward": {into: func() runtime.Object { return &core.PodPortForwardOptions{} }, out: func() runtime.Object { return &corev1.PodPortForwardOptions{} }},
}

func options(verb, query string) (any, error) {
	// As net/http has it: pairs that do not parse are left out without a word.
	values := (&url.URL{RawQuery: query}).Query()
	if kind, ok := metaOptions[verb]; ok {
		into := kind.into()
		if err := metascheme.ParameterCodec.DecodeParameters(values, metav1.SchemeGroupVersion, into); err != nil {
			return nil, err
		}
		return show(metascheme.Scheme, kind, into)
	}
	if kind, ok := coreOptions[verb]; ok {
		into := kind.into()
		if err := legacyscheme.ParameterCodec.DecodeParameters(values, corev1.SchemeGroupVersion, into); err != nil {
			return nil, err
		}
		return show(legacyscheme.Scheme, kind, into)
	}
	return failure{Error: fmt.Sprintf("unknown verb `%s`", verb), Question: true}, nil
}

func show(scheme *runtime.Scheme, kind optionKind, decoded runtime.Object) (any, error) {
	if kind.out == nil {
		return decoded, nil
	}
	out := kind.out()
	return out, scheme.Convert(decoded, out, nil)
}
