// Package checks reads what is in deploy with the libraries that will read it in earnest: Helm's, Kubernetes',
// Prometheus', Compose's and GoReleaser's. It is a module of its own, so that polymq itself does not depend on
// these. The test of package deploy runs it, and tells it what it cannot find out by itself:
//
//	POLYMQ_HELP     a file with what polymq serve --help prints
//	POLYMQ_METRICS  a file with what /metrics of a server answers that has been used
package checks
