// Command oracle answers, with the API server's own code, what the API server makes of a request. It reads one JSON
// question a line from stdin and writes one JSON answer a line to stdout:
//
//	{"op":"requestinfo","method":"GET","url":"/api/v1/pods?watch=1"}  what is asked for
//	{"op":"options","verb":"list","query":"limit=5"}                  options in the query
//	{"op":"json","data":"BASE64"}                                     a body, decoded
//	{"op":"yaml","data":"BASE64"}
//	{"op":"object","data":"BASE64"}                                   an object in protobuf or JSON, as its type has it
//	{"op":"protobufsample","seed":1}                                  an object made up, in protobuf and in JSON
//	{"op":"protobufschema"}                                           every message that a client may send
//
// What the API server refuses is answered with {"error":"..."}.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// question has the fields of every kind of question.
type question struct {
	Op     string `json:"op"`
	Method string `json:"method"`
	URL    string `json:"url"` // the request target as on the wire
	Verb   string `json:"verb"`
	Query  string `json:"query"` // without the question mark
	Data   []byte `json:"data"`
	Seed   uint64 `json:"seed"`
}

type failure struct {
	Error string `json:"error"`
	// Question says that the fault is in the question, not in what it is about.
	Question bool `json:"badQuestion,omitempty"`
}

func main() {
	if err := answerAll(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// answerAll answers until the input ends. Answers are held back only while more questions are at hand.
func answerAll(input io.Reader, output io.Writer) error {
	in := bufio.NewReaderSize(input, 1<<16)
	out := bufio.NewWriterSize(output, 1<<16)
	encoder := json.NewEncoder(out)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return out.Flush()
		}
		if err != nil && err != io.EOF {
			return err
		}
		result := answer(line)
		if _, err := json.Marshal(result); err != nil {
			result = failure{Error: "the value has no JSON form: " + err.Error()}
		}
		if err := encoder.Encode(result); err != nil {
			return err
		}
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
}

func answer(line []byte) any {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return failure{Error: err.Error(), Question: true}
	}
	result, err := ask(q)
	if err != nil {
		return failure{Error: err.Error()}
	}
	return result
}

func ask(q question) (any, error) {
	switch q.Op {
	case "requestinfo":
		return requestInfo(q.Method, q.URL)
	case "options":
		return options(q.Verb, q.Query)
	case "json":
		return decodeJSON(q.Data)
	case "yaml":
		return decodeYAML(q.Data)
	case "object":
		return decodeObject(q.Data)
	case "protobufsample":
		return sampleProtobuf(q.Seed)
	case "protobufschema":
		return protobufSchema()
	default:
		return failure{Error: fmt.Sprintf("unknown op `%s`", q.Op), Question: true}, nil
	}
}
