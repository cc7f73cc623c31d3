//go:build tools

// Package node names the programs around Kubernetes, so that go.mod and go.sum hold their versions:
// what makes a node of a kubelet, and kwok, which pretends to be nodes.
package node

import (
	// Pods that truly run: containers, and the network between them.
	_ "github.com/containerd/containerd/v2/cmd/containerd"
	_ "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"
	_ "github.com/containerd/containerd/v2/cmd/ctr"
	_ "github.com/containernetworking/plugins/plugins/ipam/host-local"
	_ "github.com/containernetworking/plugins/plugins/main/bridge"
	_ "github.com/containernetworking/plugins/plugins/main/loopback"
	_ "github.com/containernetworking/plugins/plugins/meta/portmap"

	// Pods that only say that they run.
	_ "sigs.k8s.io/kwok/cmd/kwok"
)
