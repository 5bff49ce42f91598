package main

import (
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

type bodyAnswer struct {
	Value  any      `json:"value"`
	Strict []string `json:"strict,omitempty"` // what fieldValidation=Strict refuses
}

// decodeJSON follows k8s.io/apimachinery/pkg/runtime/serializer/json.Serializer, which reads every request body.
func decodeJSON(data []byte) (any, error) {
	answer := bodyAnswer{}
	strict, err := kjson.UnmarshalStrict(data, &answer.Value)
	if err != nil {
		return nil, err
	}
	for _, err := range strict {
		answer.Strict = append(answer.Strict, err.Error())
	}
	return answer, nil
}

func decodeYAML(data []byte) (any, error) {
	converted, err := yaml.YAMLToJSON(data)
	if err != nil {
		return nil, err
	}
	answer := bodyAnswer{}
	strict, err := kjson.UnmarshalStrict(converted, &answer.Value)
	if err != nil {
		return nil, err
	}
	if _, err := yaml.YAMLToJSONStrict(data); err != nil {
		answer.Strict = append(answer.Strict, err.Error())
	}
	for _, err := range strict {
		answer.Strict = append(answer.Strict, err.Error())
	}
	return answer, nil
}
