//go:build tools

package main

// Programs that are built from this module as they are; naming them here keeps their dependencies in go.mod.
import (
	_ "k8s.io/kubernetes/cmd/kubectl"
	_ "k8s.io/kubernetes/test/images/agnhost"
)
