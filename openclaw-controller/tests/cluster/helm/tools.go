//go:build tools

// Package helm pins Helm, which checks the chart.
package helm

import _ "helm.sh/helm/v4/cmd/helm"
