// Package deploy holds what polymq is deployed with: Dockerfile, Helm chart, systemd unit, Prometheus rules and
// Grafana dashboard; README.md says which to pick. There is no code but the test, which runs checks, a module of its own.
package deploy
