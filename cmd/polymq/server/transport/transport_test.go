package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory keeps secrets.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (m *memory) FindSecret(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[name], nil
}

func (m *memory) SharedSecret(_ context.Context, name string, value []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		m.values = map[string][]byte{}
	}
	if m.values[name] == nil {
		m.values[name] = value
	}
	return m.values[name], nil
}

func authority(t *testing.T, secrets Secrets, names ...string) *Authority {
	t.Helper()
	a, err := OpenAuthority(t.Context(), secrets, names)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// trusting gives a client's configuration that trusts the authority alone.
func trusting(t *testing.T, certificate []byte, name string) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificate) {
		t.Fatalf("no certificate in %q", certificate)
	}
	return &tls.Config{RootCAs: pool, ServerName: name, MinVersion: tls.VersionTLS12}
}

// serve answers on both halves of a listener with the scheme that the request came by.
func serve(t *testing.T, config *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain, encrypted := Split(l)
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https " + r.Proto
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, scheme+" "+string(body))
	})}
	var serving sync.WaitGroup
	for _, half := range []net.Listener{plain, tls.NewListener(encrypted, config)} {
		serving.Go(func() {
			if err := srv.Serve(half); !errors.Is(err, http.ErrServerClosed) {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		serving.Wait()
		if err := l.(*net.TCPListener).SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the port is still open: %v", err)
		}
	})
	return l.Addr().String()
}

func post(t *testing.T, client *http.Client, url, body string) (string, error) {
	t.Helper()
	resp, err := client.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return string(answer), err
}

func TestBothOnOnePort(t *testing.T) {
	t.Parallel()
	secrets := new(memory)
	a := authority(t, secrets, "localhost", "127.0.0.1", "::1")
	address := serve(t, a.Config())
	transport := &http.Transport{TLSClientConfig: trusting(t, a.Certificate(), ""), ForceAttemptHTTP2: true}
	client := &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	body := strings.Repeat("x", 100_000)
	for range 3 { // on connections that are kept
		for scheme, want := range map[string]string{"http": "http ", "https": "https HTTP/1.1 "} {
			if got, err := post(t, client, scheme+"://"+address, body); err != nil || got != want+body {
				t.Errorf("%s: got %.20q and %v", scheme, got, err)
			}
		}
	}
	if _, err := post(t, http.DefaultClient, "https://"+address, ""); err == nil {
		t.Error("a client trusts an authority that it does not know")
	}
}

func TestCertificatesForNames(t *testing.T) {
	t.Parallel()
	secrets := new(memory)
	a := authority(t, secrets, "localhost", "queues.example.com")
	address := serve(t, a.Config())
	tests := map[string]bool{
		"queues.example.com": true, "localhost": true, "127.0.0.1": true,
		"1234567890.mns.cn-hangzhou.aliyuncs.com": true, "SQS.eu-west-1.amazonaws.com": true, "under_score.local": true,
	}
	for name := range tests {
		conn, err := tls.Dial("tcp", address, trusting(t, a.Certificate(), name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = conn.Close()
	}
	for _, name := range []string{"", "a b", "-\x00", strings.Repeat("a", 64), strings.Repeat("abc.", 100) + "x", "a..b", "*"} {
		if isHost(name) {
			t.Errorf("%.20q can be in a certificate", name)
		}
	}
	for i := range maxLeaves + 1 {
		if _, err := a.leaf(fmt.Sprintf("host%d.example.com", i)); err != nil || len(a.leaves) > maxLeaves {
			t.Fatalf("%d certificates are kept, %v", len(a.leaves), err)
		}
	}
}

// A name that is asked for and listened at stands in the certificate once.
func TestCertificatesNameOnce(t *testing.T) {
	t.Parallel()
	a := authority(t, new(memory), "127.0.0.1", "localhost", "127.0.0.1", "::1", "0:0:0:0:0:0:0:1")
	for _, name := range []string{"127.0.0.1", "localhost", ""} {
		leaf, err := a.leaf(name)
		if err != nil {
			t.Fatal(err)
		}
		if ips, names := leaf.Leaf.IPAddresses, leaf.Leaf.DNSNames; len(ips) != 2 || len(names) != 1 {
			t.Errorf("of %q: %v, %v", name, ips, names)
		}
	}
}

// Servers of one database are trusted by the same certificate; another database's are not.
func TestServersShareTheAuthority(t *testing.T) {
	t.Parallel()
	secrets := new(memory)
	made := make([]*Authority, 4)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() { made[i], _ = OpenAuthority(context.Background(), secrets, []string{"127.0.0.1"}) })
	}
	wg.Wait()
	for i, a := range made {
		if a == nil || string(a.Certificate()) != string(made[0].Certificate()) {
			t.Fatalf("server %d has another authority", i)
		}
	}
	address := serve(t, made[1].Config())
	conn, err := tls.Dial("tcp", address, trusting(t, made[2].Certificate(), "localhost"))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if _, err := tls.Dial("tcp", address, trusting(t, authority(t, new(memory)).Certificate(), "localhost")); err == nil {
		t.Error("another database's authority is as good")
	}
	if _, err := OpenAuthority(t.Context(), &memory{values: map[string][]byte{secretName: []byte("nonsense")}}, nil); err == nil {
		t.Error("nonsense is an authority")
	}
}

func TestCertificatesAreRenewed(t *testing.T) {
	t.Parallel()
	a := authority(t, new(memory))
	now := time.Now()
	a.now = func() time.Time { return now }
	get := func() *x509.Certificate {
		leaf, err := a.leaf("localhost")
		if err != nil {
			t.Fatal(err)
		}
		return leaf.Leaf
	}
	first := get()
	now = now.Add(leafLife - renewBefore - time.Minute)
	if get() != first {
		t.Error("a certificate is made anew while it is good")
	}
	now = now.Add(2 * time.Minute)
	renewed := get()
	if renewed == first || !renewed.NotAfter.After(first.NotAfter) || !slices.Contains(renewed.DNSNames, "localhost") {
		t.Errorf("a month before its end the certificate is still that until %v", renewed.NotAfter)
	}
	if age := time.Until(a.certificate.NotAfter); age < 10*365*24*time.Hour || !a.certificate.IsCA {
		t.Errorf("the authority ends in %v", age)
	}
}

// pair writes a certificate for a name into files, and gives who signed it.
func pair(t *testing.T, cert, key string) *Authority {
	t.Helper()
	a := authority(t, new(memory))
	text, err := makeAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(text), "-----BEGIN CERTIFICATE")
	for path, part := range map[string][]byte{key: text[:at], cert: text[at:]} {
		if err := os.WriteFile(path, part, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a.pem = text[at:]
	return a
}

func TestFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	first := pair(t, cert, key)
	var told []error
	f, err := OpenFiles(cert, key, func(err error) { told = append(told, err) })
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	f.now = func() time.Time { return now }
	f.lookedAt = now
	is := func(a *Authority) bool {
		return signed(t, a.pem, f.current().Certificate[0])
	}
	second := pair(t, cert, key)
	if !is(first) {
		t.Error("the files are read at every handshake")
	}
	now = now.Add(rereadEvery)
	if !is(second) {
		t.Error("the new certificate is not in use")
	}
	for _, broken := range []func() error{func() error { return os.WriteFile(cert, []byte("nonsense"), 0o600) }, func() error { return os.Remove(cert) }} {
		if err := broken(); err != nil {
			t.Fatal(err)
		}
		now = now.Add(rereadEvery)
		if !is(second) {
			t.Error("the last good certificate is not in use")
		}
	}
	if len(told) != 1 {
		t.Errorf("told %v, want the failure once", told)
	}
	third := pair(t, cert, key)
	now = now.Add(rereadEvery)
	if !is(third) {
		t.Error("the mended certificate is not in use")
	}
	if _, err := OpenFiles(cert, cert, nil); err == nil {
		t.Error("a certificate is a key")
	}
}

// signed says that the certificate in PEM vouches for the other one.
func signed(t *testing.T, text, der []byte) bool {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificate")
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parsed.Verify(x509.VerifyOptions{Roots: pool})
	return err == nil
}

// pipes is a listener of connections in memory.
type pipes struct{ conns chan net.Conn }

func (p *pipes) Accept() (net.Conn, error) {
	conn, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (p *pipes) Close() error   { return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A connection that says nothing is closed, and one that does is not kept waiting by it.
func TestSilentConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &pipes{make(chan net.Conn)}
		plain, encrypted := Split(from)
		silent, server := net.Pipe()
		from.conns <- server
		for first, half := range map[byte]net.Listener{'P': plain, handshakeRecord: encrypted} {
			client, server := net.Pipe()
			from.conns <- server
			go func() { _, _ = client.Write([]byte{first, 'x'}) }()
			conn, err := half.Accept()
			if err != nil {
				t.Fatal(err)
			}
			var got [2]byte
			if _, err := io.ReadFull(conn, got[:]); err != nil || got != [2]byte{first, 'x'} {
				t.Errorf("got %q and %v", got, err)
			}
			_ = conn.Close()
		}
		began := time.Now()
		if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the silent connection ended with %v", err)
		}
		if took := time.Since(began); took != firstByteTimeout {
			t.Errorf("it ended after %v, want %v", took, firstByteTimeout)
		}
		late, server := net.Pipe()
		from.conns <- server
		synctest.Wait()
		_ = plain.Close()
		if _, err := late.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("when the listener closed, a connection ended with %v", err)
		}
		if _, err := encrypted.Accept(); err == nil {
			t.Error("the other half still accepts")
		}
		close(from.conns)
		synctest.Wait()
	})
}
