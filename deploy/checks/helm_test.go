package checks

import (
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// render renders the chart, and reads each manifest strictly as what it says it is. Kinds that are no part of
// Kubernetes are given by their text.
func render(t *testing.T, values string) (objects []runtime.Object, others []string, err error) {
	t.Helper()
	chart, err := loader.Load("../helm/polymq")
	if err != nil {
		t.Fatal(err)
	}
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	all, err := chartutil.ToRenderValues(chart, given, chartutil.ReleaseOptions{Name: "queues", Namespace: "messaging", IsInstall: true}, nil)
	if err != nil {
		return nil, nil, err
	}
	files, err := engine.Engine{Strict: true}.Render(chart, all)
	if err != nil {
		return nil, nil, err
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	for name, text := range files {
		if !strings.HasSuffix(name, ".yaml") || strings.TrimSpace(text) == "" {
			continue
		}
		object, _, err := decoder.Decode([]byte(text), nil, nil)
		switch {
		case runtime.IsNotRegisteredError(err):
			others = append(others, text)
		case err != nil:
			t.Errorf("%s: %v\n%s", name, err, text)
		default:
			objects = append(objects, object)
		}
	}
	return objects, others, nil
}

// only gives the one object of a type.
func only[T runtime.Object](t *testing.T, objects []runtime.Object) T {
	t.Helper()
	var found []T
	for _, o := range objects {
		if o, ok := o.(T); ok {
			found = append(found, o)
		}
	}
	if len(found) != 1 {
		var none T
		t.Fatalf("%d objects of type %T, want one", len(found), none)
	}
	return found[0]
}

func TestChartDefaults(t *testing.T) {
	t.Parallel()
	objects, others, err := render(t, `database: {url: "postgres://polymq:secret@db:5432/polymq"}`)
	if err != nil || len(others) != 0 {
		t.Fatal(err, others)
	}
	deployment := only[*appsv1.Deployment](t, objects)
	pod := deployment.Spec.Template.Spec
	container := pod.Containers[0]
	checkFlags(t, container.Args)
	for _, env := range container.Env {
		checkVariables(t, env.Name)
	}
	secret := only[*corev1.Secret](t, objects)
	ref := container.Env[0].ValueFrom.SecretKeyRef
	if ref.Name != secret.Name || secret.StringData[ref.Key] != "postgres://polymq:secret@db:5432/polymq" {
		t.Errorf("the pod reads %s of %s, the secret is %+v", ref.Key, ref.Name, secret)
	}
	service := only[*corev1.Service](t, objects)
	for name, value := range service.Spec.Selector {
		if deployment.Spec.Template.Labels[name] != value {
			t.Errorf("the service selects %s=%s, which pods have not", name, value)
		}
	}
	if only[*policyv1.PodDisruptionBudget](t, objects).Spec.MaxUnavailable.IntValue() != 1 {
		t.Error("the budget lets more than one pod go")
	}
	if *deployment.Spec.Replicas != 2 || !*pod.SecurityContext.RunAsNonRoot || !*container.SecurityContext.ReadOnlyRootFilesystem {
		t.Errorf("%d replicas, %+v, %+v", *deployment.Spec.Replicas, pod.SecurityContext, container.SecurityContext)
	}
	for name, probe := range map[string]*corev1.Probe{"/readyz": container.ReadinessProbe, "/healthz": container.LivenessProbe} {
		if probe.HTTPGet.Path != name {
			t.Errorf("a probe asks for %s, want %s", probe.HTTPGet.Path, name)
		}
	}
	if *pod.TerminationGracePeriodSeconds <= 20 {
		t.Error("pods are killed before the server's own time to shut down is over")
	}
}

func TestChartEverything(t *testing.T) {
	t.Parallel()
	objects, others, err := render(t, `
replicas: 3
imagePullSecrets: [{name: registry}]
database: {existingSecret: db, key: uri, directKey: direct}
auth: {mode: verify, existingSecret: keys}
publicUrl: https://queues.example
trustedProxies: [10.0.0.0/8, 192.168.0.0/16]
extraArgs: [--message-log=all]
extraEnv: [{name: POLYMQ_REGION, value: eu-central-1}]
service: {type: LoadBalancer, port: 80, annotations: {a: b}}
ingress: {enabled: true, className: nginx, hosts: [queues.example], annotations: {a: b}, tls: [{secretName: tls, hosts: [queues.example]}]}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
networkPolicy: {enabled: true, from: [{podSelector: {matchLabels: {app: shop}}}]}
serviceAccount: {name: queue, annotations: {a: b}}
podAnnotations: {a: b}
podLabels: {a: b}
nodeSelector: {a: b}
tolerations: [{key: a, operator: Exists}]
affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}`)
	if err != nil {
		t.Fatal(err)
	}
	pod := only[*appsv1.Deployment](t, objects).Spec.Template.Spec
	checkFlags(t, pod.Containers[0].Args)
	for _, want := range []string{"--auth=verify", "--public-url=https://queues.example", "--trusted-proxies=192.168.0.0/16", "--message-log=all"} {
		if !slices.Contains(pod.Containers[0].Args, want) {
			t.Errorf("%s is not among %q", want, pod.Containers[0].Args)
		}
	}
	var names []string
	for _, env := range pod.Containers[0].Env {
		checkVariables(t, env.Name)
		names = append(names, env.Name)
	}
	if want := []string{"POLYMQ_DATABASE_URL", "POLYMQ_DATABASE_DIRECT_URL", "POLYMQ_ADMIN_KEY", "POLYMQ_MASTER_KEY", "POLYMQ_REGION"}; !slices.Equal(names, want) {
		t.Errorf("variables %q, want %q", names, want)
	}
	service := only[*corev1.Service](t, objects)
	backend := only[*networkingv1.Ingress](t, objects).Spec.Rules[0].HTTP.Paths[0].Backend.Service
	if backend.Name != service.Name || backend.Port.Name != service.Spec.Ports[0].Name {
		t.Errorf("the ingress leads to %+v, the service is %s", backend, service.Name)
	}
	only[*networkingv1.NetworkPolicy](t, objects)
	if only[*corev1.ServiceAccount](t, objects).Name != pod.ServiceAccountName {
		t.Error("pods use another service account")
	}
	if len(others) != 1 {
		t.Fatalf("%q, want a ServiceMonitor alone", others)
	}
	var monitor struct {
		Kind string `json:"kind"`
		Spec struct {
			JobLabel  string
			Selector  struct{ MatchLabels map[string]string }
			Endpoints []struct {
				Port, Path, Interval string
				Authorization        struct{ Credentials corev1.SecretKeySelector }
			}
		}
	}
	if err := yaml.Unmarshal([]byte(others[0]), &monitor); err != nil || monitor.Kind != "ServiceMonitor" || len(monitor.Spec.Endpoints) != 1 || monitor.Spec.Endpoints[0].Path != "/metrics" {
		t.Errorf("%v: %+v", err, monitor)
	}
	if job := service.Labels[monitor.Spec.JobLabel]; job != "polymq" {
		t.Errorf("Prometheus will call the job %q, unlike the alert rules", job)
	}
	credentials := monitor.Spec.Endpoints[0].Authorization.Credentials
	if credentials.Name != "keys" || credentials.Key != "admin-key" || monitor.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
		t.Errorf("Prometheus will ask %+v", monitor.Spec.Endpoints[0])
	}
	for name, value := range monitor.Spec.Selector.MatchLabels {
		if service.Labels[name] != value {
			t.Errorf("the monitor selects %s=%s, which the service has not", name, value)
		}
	}
}

func TestChartRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ values, says string }{
		"no database":       {``, "database.url or database.existingSecret"},
		"unknown setting":   {`database: {url: x, uri: y}`, "uri"},
		"wrong type":        {`{database: {url: x}, replicas: two}`, "replicas"},
		"no keys to verify": {`{database: {url: x}, auth: {mode: verify}}`, "auth.existingSecret"},
		"no host":           {`{database: {url: x}, ingress: {enabled: true}}`, "ingress.hosts"},
	} {
		if _, _, err := render(t, tt.values); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want an error about %s", name, err, tt.says)
		}
	}
}
