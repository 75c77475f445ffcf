package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOverlaps(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{":25", ":25", true},
		{":25", ":26", false},
		{":25", "192.0.2.1:25", true},
		{":25", "[2001:db8::1]:25", true},
		{":25", "0.0.0.0:25", true},
		{"[::]:25", "192.0.2.1:25", true},
		{"[::]:25", ":25", true},
		{"0.0.0.0:25", "192.0.2.1:25", true},
		{"0.0.0.0:25", "[2001:db8::1]:25", false},
		{"0.0.0.0:25", "[::ffff:192.0.2.1]:25", true},
		{"192.0.2.1:25", "192.0.2.2:25", false},
		{"192.0.2.1:25", "[::ffff:192.0.2.1]:25", true},
		{"192.0.2.1:25", "[::ffff:c000:201]:25", true},
		{"[2001:db8::1]:25", "[2001:DB8:0:0::1]:25", true},
		{"localhost:25", "127.0.0.1:0025", true},
		{":0", ":0", false},
		{"127.0.0.1:0", "127.0.0.1:0", false},
		{"[fe80::1%eth0]:25", "[fe80::1%eth1]:25", false},
		{"unix:/run/a", "unix:/run//./a", true},
		{"unix:/run/a", "unix:/run/b", false},
		{"fd:smtp", "fd:smtp", true},
		{"fd:smtp", "fd:lmtp", false},
		{"fd:25", ":25", false},
	}
	for _, test := range tests {
		a, b := addressOf(t, test.a), addressOf(t, test.b)
		if a.overlaps(b) != test.want || b.overlaps(a) != test.want {
			t.Errorf("%s and %s: got %t and %t, want %t",
				test.a, test.b, a.overlaps(b), b.overlaps(a), test.want)
		}
	}
	if (Address{}).overlaps(Address{}) {
		t.Error("two that are off overlap")
	}
}

func addressOf(t *testing.T, text string) Address {
	t.Helper()
	r := newReader("trapline.toml")
	tree, _ := parseTree([]byte("address = '" + text + "'"))
	a := section{r, "", tree}.listener("address", "")
	if len(r.faults) > 0 {
		t.Fatal(r.faults)
	}
	return a
}

// What overlaps by our rule cannot be bound side by side, and the other way round.
func TestOverlapsAsTheKernelSeesIt(t *testing.T) {
	hosts := []string{
		"", "0.0.0.0", "127.0.0.1", "127.0.0.2", "[::1]", "[::]", "[::ffff:127.0.0.1]",
	}
	for _, first := range hosts {
		one := addressOf(t, first+":0")
		listener, err := net.Listen(one.Network, one.Name)
		if err != nil {
			t.Skipf("bind %s: %v", one.Name, err)
		}
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		for _, second := range hosts {
			a, b := addressOf(t, first+":"+port), addressOf(t, second+":"+port)
			other, err := net.Listen(b.Network, b.Name)
			if err == nil {
				other.Close()
			}
			if a.overlaps(b) != (err != nil) {
				t.Errorf("%s and %s: overlap is %t, but binding gave %v", a, b, a.overlaps(b), err)
			}
		}
		listener.Close()
	}
}

func TestAddressString(t *testing.T) {
	for _, text := range []string{
		":25", "192.0.2.1:25", "[2001:db8::1]:25", "unix:/run/a", "fd:smtp",
	} {
		if got := addressOf(t, text).String(); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
}

func TestCertificatePair(t *testing.T) {
	dir := t.TempDir()
	cert, key := writePair(t, dir, "one")
	_, otherKey := writePair(t, dir, "two")
	tests := []struct{ name, cert, key, problem string }{
		{"a pair", cert, key, ""},
		{"another's key", cert, otherKey, "does not match"},
		{"the certificate twice", cert, cert, "private key"},
		{"no such file", cert + ".none", key, "cannot be read"},
		{"a folder", cert, dir, "is no file"},
		{"a device", os.DevNull, key, "is no file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			faults := faultsOf(t, smallest+"[[listen]]\ntls = 'file'\n"+
				"cert_file = '"+test.cert+"'\nkey_file = '"+test.key+"'\n")
			if test.problem == "" && len(faults) == 0 {
				return
			}
			if len(faults) != 1 || !strings.Contains(faults[0].Problem, test.problem) {
				t.Fatalf("got %v, want %q", faults, test.problem)
			}
			if faults[0].Line == 0 {
				t.Errorf("%v has no line", faults[0])
			}
		})
	}
}

func TestKeyIsNotServed(t *testing.T) {
	dir := t.TempDir()
	cert, key := writePair(t, dir, "one")
	faults := faultsOf(t, smallest+"[[listen]]\ntls = 'file'\n"+
		"cert_file = '"+cert+"'\nkey_file = '"+key+"'\n[zone]\ndir = '"+dir+"'\n")
	if len(faults) != 1 || faults[0].Key != "listen[1].key_file" || faults[0].Line != 7 {
		t.Errorf("got %v, want one of listen[1].key_file", faults)
	}
}

func writePair(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotAfter: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert},
		keyFile:  {Type: "PRIVATE KEY", Bytes: encoded},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
