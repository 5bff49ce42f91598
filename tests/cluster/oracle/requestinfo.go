package main

import (
	"bufio"
	"errors"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// resolver is configured as k8s.io/apiserver/pkg/server.NewRequestInfoResolver does for kube-apiserver.
var resolver = request.RequestInfoFactory{
	APIPrefixes:          sets.NewString("api", "apis"),
	GrouplessAPIPrefixes: sets.NewString("api"),
}

type requestInfoAnswer struct {
	IsResourceRequest bool     `json:"isResourceRequest"`
	Path              string   `json:"path"`
	Verb              string   `json:"verb"`
	APIPrefix         string   `json:"apiPrefix"`
	APIGroup          string   `json:"apiGroup"`
	APIVersion        string   `json:"apiVersion"`
	Namespace         string   `json:"namespace"`
	Resource          string   `json:"resource"`
	Subresource       string   `json:"subresource"`
	Name              string   `json:"name"`
	Parts             []string `json:"parts"`
	FieldSelector     string   `json:"fieldSelector"`
	LabelSelector     string   `json:"labelSelector"`
}

// requestInfo reads the request line as Go's HTTP server does, and hands the request to the API server's resolver.
func requestInfo(method, target string) (any, error) {
	if strings.ContainsAny(method+target, "\r\n") {
		return nil, errors.New("a request line cannot hold a line break")
	}
	wire := method + " " + target + " HTTP/1.1\r\nHost: oracle\r\n\r\n"
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		return nil, err
	}
	info, err := resolver.NewRequestInfo(req)
	if err != nil {
		return nil, err
	}
	return requestInfoAnswer{
		IsResourceRequest: info.IsResourceRequest,
		Path:              info.Path,
		Verb:              info.Verb,
		APIPrefix:         info.APIPrefix,
		APIGroup:          info.APIGroup,
		APIVersion:        info.APIVersion,
		Namespace:         info.Namespace,
		Resource:          info.Resource,
		Subresource:       info.Subresource,
		Name:              info.Name,
		Parts:             append([]string{}, info.Parts...),
		FieldSelector:     info.FieldSelector,
		LabelSelector:     info.LabelSelector,
	}, nil
}
