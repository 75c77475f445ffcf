package daemon

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trapline/trapline/internal/config"
)

// shown is the certificate that a listener of this name shows after a start at this time.
func shown(t *testing.T, dir, hostname string, now time.Time) []byte {
	t.Helper()
	c, err := (&certificates{dir: dir}).tlsOf(config.Listen{Hostname: hostname,
		TLS: config.TLSAuto}, now)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := c.GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return cert.Certificate[0]
}

// TestCertificateStays: a host shows the same certificate after a restart, no other host shows
// it, and its file is for our eyes only.
func TestCertificateStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certificates")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	first := shown(t, dir, "mx.traps.example", now)
	path := filepath.Join(dir, "mx.traps.example.pem")
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("its file: %v, %v, want mode 0600", info.Mode(), err)
	}
	if again := shown(t, dir, "mx.traps.example", now.AddDate(9, 0, 0)); !bytes.Equal(first, again) {
		t.Error("another certificate after a restart")
	}
	if other := shown(t, dir, "mx.other.example", now); bytes.Equal(first, other) ||
		bytes.Contains(other, []byte("traps")) {
		t.Error("two hosts show one certificate")
	}
	if late := shown(t, dir, "mx.traps.example", now.AddDate(11, 0, 0)); bytes.Equal(first, late) {
		t.Error("the same certificate after it has expired")
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = (&certificates{dir: dir}).selfSigned("mx.traps.example", now)
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged file: %v, want an error that names it", err)
	}
}

// TestCertificateOfReload: within one daemon no file is read twice.
func TestCertificateOfReload(t *testing.T) {
	m := certificates{dir: t.TempDir()}
	first, err := m.selfSigned("mx.traps.example", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.selfSigned("mx.traps.example", time.Now()); err != nil || again != first {
		t.Errorf("after a reload: %v, another one: %v", err, again != first)
	}
}

// renew writes a certificate and its key for a host, as of an instant, and gives the certificate.
func renew(t *testing.T, c config.Listen, changed time.Time) []byte {
	t.Helper()
	m := certificates{dir: t.TempDir()}
	made, err := m.selfSigned(c.Hostname, changed)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(m.dir, c.Hostname+".pem"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{c.CertFile, c.KeyFile} {
		write(t, path, text, changed)
	}
	return made.Certificate[0]
}

func write(t *testing.T, path string, text []byte, changed time.Time) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, changed, changed); err != nil {
		t.Fatal(err)
	}
}

// TestCertificateFromFiles: a pair that was renewed is shown at the next handshake; while it cannot
// be read, or one file is newer than the other, the pair before is, and that is told once.
func TestCertificateFromFiles(t *testing.T) {
	dir := t.TempDir()
	c := config.Listen{Hostname: "mx.traps.example", TLS: config.TLSFile,
		CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	first := renew(t, c, now)
	told := 0
	m := certificates{stays: func(file string, why error) {
		if told++; file != c.CertFile || why == nil {
			t.Errorf("told of %s: %v", file, why)
		}
	}}
	door, err := m.tlsOf(c, now)
	if err != nil {
		t.Fatal(err)
	}
	shows := func(what string, want []byte, complaints int) {
		t.Helper()
		for range 3 { // handshakes
			cert, err := door.GetCertificate(&tls.ClientHelloInfo{})
			if err != nil || !bytes.Equal(cert.Certificate[0], want) {
				t.Fatalf("%s: another certificate, or %v", what, err)
			}
		}
		if told != complaints {
			t.Errorf("%s: told %d times, want %d", what, told, complaints)
		}
	}
	shows("as it was", first, 0)
	write(t, c.CertFile, []byte("damaged"), now.Add(time.Hour))
	shows("damaged", first, 1)
	if err := os.Remove(c.CertFile); err != nil {
		t.Fatal(err)
	}
	shows("gone", first, 2)
	oldKey, err := os.ReadFile(c.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	second := renew(t, c, now.Add(2*time.Hour))
	newKey, err := os.ReadFile(c.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	write(t, c.KeyFile, oldKey, now)
	shows("half renewed", first, 3)
	write(t, c.KeyFile, newKey, now.Add(2*time.Hour))
	shows("renewed", second, 3)
}
