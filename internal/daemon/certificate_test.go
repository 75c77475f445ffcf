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
