package trap

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trapline/trapline/internal/testpeer"
)

// snakeOil is how Debian's ssl-cert has OpenSSL make a certificate.
const snakeOil = `[req]
default_bits = 2048
distinguished_name = names
prompt = no
req_extensions = v3
x509_extensions = v3
[names]
commonName = mx.traps.example
[v3]
basicConstraints = CA:FALSE
subjectAltName = DNS:mx.traps.example
`

// TestSnakeOil: in kind, order and size of its parts, our certificate is the one that OpenSSL
// makes on the installation of a Debian.
func TestSnakeOil(t *testing.T) {
	openssl := testpeer.Need(t, "openssl", "openssl")
	dir := t.TempDir()
	config, made := filepath.Join(dir, "config"), filepath.Join(dir, "cert.pem")
	if err := os.WriteFile(config, []byte(snakeOil), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(openssl, "req", "-config", config, "-new", "-x509", "-days", "3650",
		"-nodes", "-sha256", "-out", made, "-keyout", filepath.Join(dir, "key.pem")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	text, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	ours, err := testCertificate()
	if err != nil {
		t.Fatal(err)
	}
	want, got := outline(t, block.Bytes, 0), outline(t, ours.Certificate[0], 0)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("certificate (-OpenSSL +ours):\n%s", diff)
	}
	theirs, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(ours.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if a, b := theirs.NotAfter.Sub(theirs.NotBefore), leaf.NotAfter.Sub(leaf.NotBefore); a != b {
		t.Errorf("valid for %v, OpenSSL's for %v", b, a)
	}
}

// outline renders a DER value with its structure, tags, names and sizes, but without numbers that
// differ each time: keys, serials, signatures, times.
func outline(t *testing.T, der []byte, depth int) string {
	t.Helper()
	var b strings.Builder
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			t.Fatal(err)
		}
		der = rest
		fmt.Fprintf(&b, "%*s%d.%d", 2*depth, "", v.Class, v.Tag)
		switch {
		case v.IsCompound:
			b.WriteString("\n" + outline(t, v.Bytes, depth+1))
		case v.Tag == asn1.TagOID || v.Tag == asn1.TagUTF8String:
			fmt.Fprintf(&b, " %x\n", v.Bytes)
		default:
			// A number with its highest bits clear is a little shorter.
			fmt.Fprintf(&b, " about %d bytes\n", (len(v.Bytes)+3)/8*8)
		}
	}
	return b.String()
}

// TestLongHostname: a certificate can hold it as an alternative name only.
func TestLongHostname(t *testing.T) {
	long := "mx." + strings.Repeat("a-rather-long-label.", 4) + "example"
	certificate, err := SelfSigned(long, noon())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if leaf.Subject.CommonName != "mx" || leaf.VerifyHostname(long) != nil {
		t.Errorf("subject %s, names %v", leaf.Subject, leaf.DNSNames)
	}
}

// TestNewTLS: what a client can learn of our TLS is what it learns of a Debian 12.
func TestNewTLS(t *testing.T) {
	certificate, err := testCertificate()
	if err != nil {
		t.Fatal(err)
	}
	config := NewTLS(func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &certificate, nil
	})
	for _, test := range []struct {
		name   string
		client *tls.Config
		fails  bool
	}{
		{"1.3", &tls.Config{MinVersion: tls.VersionTLS13}, false},
		{"1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, false},
		{"1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, true},
		{"a protocol to choose", &tls.Config{NextProtos: []string{"smtp"}}, false},
		{"against quantum computers alone",
			&tls.Config{CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStand(t, func(_ *Config, s *Settings) { s.TLS = config })
			c := dial(t, s.address)
			c.play(t, hi+"> STARTTLS\n< 220 2.0.0 Ready to start TLS")
			asked := false
			test.client.InsecureSkipVerify = true
			test.client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate,
				error) {
				asked = true
				return &tls.Certificate{}, nil
			}
			conn := tls.Client(c.Conn, test.client)
			if err := conn.HandshakeContext(t.Context()); (err != nil) != test.fails {
				t.Fatalf("handshake: %v", err)
			}
			if state := conn.ConnectionState(); asked || state.NegotiatedProtocol != "" {
				t.Errorf("asked for a certificate: %v, chose %q", asked, state.NegotiatedProtocol)
			}
		})
	}
}

// BenchmarkHandshake is what a key costs: a full handshake, both ends of it.
func BenchmarkHandshake(b *testing.B) {
	certificate, err := testCertificate()
	if err != nil {
		b.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, curve.Public(), curve)
	if err != nil {
		b.Fatal(err)
	}
	other := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: curve}
	for name, one := range map[string]*tls.Certificate{"rsa": &certificate, "ecdsa": &other} {
		b.Run(name, func(b *testing.B) {
			config := NewTLS(func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				return one, nil
			})
			begin := processorTime(b)
			for b.Loop() {
				if err := handshake(config); err != nil {
					b.Fatal(err)
				}
			}
			spent := processorTime(b) - begin
			b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "µs-cpu/op")
		})
	}
}

// processorTime is what this process has had of it, which no other process disturbs.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// handshake makes one with a client, and takes a byte behind it as a session would.
func handshake(config *tls.Config) error {
	near, far := net.Pipe()
	defer near.Close()
	served := make(chan error, 1)
	go func() {
		defer far.Close()
		_, err := tls.Server(far, config).Write([]byte{'x'})
		served <- err
	}()
	client := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
	_, err := io.ReadFull(client, make([]byte, 1))
	return errors.Join(err, <-served)
}
