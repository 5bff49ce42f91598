package main

import (
	"encoding/json"
	"math/rand/v2"

	"k8s.io/apimachinery/pkg/runtime"
	kjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

var (
	protobufSerializer = protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	jsonSerializer     = kjson.NewSerializerWithOptions(
		kjson.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, kjson.SerializerOptions{Strict: true})
)

type protobufSample struct {
	Protobuf []byte          `json:"protobuf"`
	JSON     json.RawMessage `json:"json"`
}

// sampleProtobuf makes one object up, the same for the same seed, and gives both its forms.
func sampleProtobuf(seed uint64) (any, error) {
	random := rand.New(rand.NewPCG(seed, 0))
	kinds := writableKinds()
	kind := kinds[random.IntN(len(kinds))]
	object, err := scheme.Scheme.New(kind)
	if err != nil {
		return nil, err
	}
	if err := (filler{random}).fill(object); err != nil {
		return nil, err
	}
	object.GetObjectKind().SetGroupVersionKind(kind)
	wire, err := runtime.Encode(protobufSerializer, object)
	if err != nil {
		return nil, err
	}
	told, err := json.Marshal(object)
	return protobufSample{Protobuf: wire, JSON: told}, err
}

// decodeObject reads a body as the API server does, protobuf or JSON (strictly), and gives the JSON of what it read.
func decodeObject(data []byte) (any, error) {
	var reader runtime.Decoder = jsonSerializer
	if recognised, _, err := protobufSerializer.RecognizesData(data); err == nil && recognised {
		reader = protobufSerializer
	}
	object, kind, err := reader.Decode(data, nil, nil)
	if err != nil {
		return nil, err
	}
	object.GetObjectKind().SetGroupVersionKind(*kind)
	told, err := json.Marshal(object)
	return bodyAnswer{Value: json.RawMessage(told)}, err
}
