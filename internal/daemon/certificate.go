package daemon

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"github.com/trapline/trapline/internal/config"
	"github.com/trapline/trapline/trap"
)

// certificates are the self-signed ones by host name. Each is made once and kept in a file: a
// certificate that changes with every start is a mark that no mail server has, and two listeners
// that share one would tell that they are the same machine.
type certificates struct {
	dir   string // made when there is something to keep
	made  map[string]*tls.Certificate
	stays func(file string, why error) // told of files that do not take the place of those before
}

// selfSigned gives the certificate of a host name: the one at hand, else the one in its file
// unless it has expired, else a new one.
func (m *certificates) selfSigned(hostname string, now time.Time) (*tls.Certificate, error) {
	if cert, ok := m.made[hostname]; ok {
		return cert, nil
	}
	path := filepath.Join(m.dir, hostname+".pem")
	cert, err := tls.LoadX509KeyPair(path, path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && now.After(cert.Leaf.NotAfter):
		cert, err = m.make(path, hostname, now)
	case err != nil:
		err = fmt.Errorf("read certificate %s: %w: remove it to have a new one made", path, err)
	}
	if err != nil {
		return nil, err
	}
	if m.made == nil {
		m.made = map[string]*tls.Certificate{}
	}
	m.made[hostname] = &cert
	return &cert, nil
}

// make makes a certificate and its file, which holds the key as well and is nobody else's.
func (m *certificates) make(path, hostname string, now time.Time) (tls.Certificate, error) {
	cert, err := trap.SelfSigned(hostname, now)
	if err != nil {
		return cert, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return cert, fmt.Errorf("encode key of %s: %w", hostname, err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	text = append(text,
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})...)
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return cert, fmt.Errorf("make folder for certificates: %w", err)
	}
	err = renameio.WriteFile(path, text, 0o600, renameio.IgnoreUmask(), renameio.WithTempDir(m.dir))
	if err != nil {
		return cert, fmt.Errorf("keep certificate: %w", err)
	}
	return cert, nil
}

// keyPair is a certificate from files, read anew when they have changed. A pair
// that cannot be read then leaves the one before in use, and is told of once.
type keyPair struct {
	cert, key string
	stays     func(file string, why error)

	mu      sync.Mutex
	loaded  *tls.Certificate
	changed time.Time // of the certificate's file, as it was loaded
	refused string    // why it could not be since, as was told
}

func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var at time.Time
	if info, err := os.Stat(k.cert); err == nil {
		at = info.ModTime()
	}
	if k.loaded != nil && at.Equal(k.changed) {
		return k.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(k.cert, k.key)
	switch {
	case err == nil:
		k.loaded, k.changed, k.refused = &pair, at, ""
	case k.loaded == nil:
		return nil, err
	case k.refused != err.Error():
		k.refused = err.Error()
		k.stays(k.cert, err)
	}
	return k.loaded, nil
}

// tlsOf gives the TLS of a listener, nil for none.
func (m *certificates) tlsOf(l config.Listen, now time.Time) (*tls.Config, error) {
	switch l.TLS {
	case config.TLSAuto:
		cert, err := m.selfSigned(l.Hostname, now)
		if err != nil {
			return nil, err
		}
		return trap.NewTLS(func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return cert, nil
		}), nil
	case config.TLSFile:
		keys := &keyPair{cert: l.CertFile, key: l.KeyFile, stays: m.stays}
		if _, err := keys.get(nil); err != nil {
			return nil, fmt.Errorf("read certificate of %s: %w", l.Address, err)
		}
		return trap.NewTLS(keys.get), nil
	}
	return nil, nil
}
