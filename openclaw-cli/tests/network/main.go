// Command network says which connections NetworkPolicies let through, as the library cyclonus
// understands them. It reads questions from standard input and prints an answer for each.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// A question: do these policies let this connection through?
type question struct {
	Policies []*networkingv1.NetworkPolicy `json:"policies"`
	From     peer                          `json:"from"`
	To       peer                          `json:"to"`
	Port     int                           `json:"port"`
	Protocol corev1.Protocol               `json:"protocol"`
}

// A pod, or an address outside the cluster if it has no namespace.
type peer struct {
	Address         string            `json:"address"`
	Namespace       string            `json:"namespace"`
	NamespaceLabels map[string]string `json:"namespaceLabels"`
	Labels          map[string]string `json:"labels"`
}

func main() {
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	var questions []question
	if err := decoder.Decode(&questions); err != nil {
		log.Fatalf("failed to decode the questions: %v", err)
	}
	answers := make([]bool, len(questions))
	for i, each := range questions {
		policy := matcher.BuildNetworkPolicies(false, each.Policies)
		answers[i] = policy.IsTrafficAllowed(&matcher.Traffic{
			Source:       each.From.peer(),
			Destination:  each.To.peer(),
			ResolvedPort: each.Port,
			Protocol:     each.Protocol,
		}).IsAllowed()
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatalf("failed to print the answers: %v", err)
	}
}

func (p peer) peer() *matcher.TrafficPeer {
	traffic := &matcher.TrafficPeer{IP: p.Address}
	if p.Namespace != "" {
		traffic.Internal = &matcher.InternalPeer{
			Namespace:       p.Namespace,
			NamespaceLabels: p.NamespaceLabels,
			PodLabels:       p.Labels,
		}
	}
	return traffic
}
