package daemon

import (
	"crypto/tls"
	"os"
	"sync"
	"time"

	"github.com/trapline/trapline/trap"
)

// certificates are the self-signed ones by host name: a reload must not change
// what a listener shows.
type certificates map[string]tls.Certificate

func (m *certificates) selfSigned(hostname string, now time.Time) (tls.Certificate, error) {
	if cert, ok := (*m)[hostname]; ok {
		return cert, nil
	}
	cert, err := trap.SelfSigned(hostname, now)
	if err != nil {
		return cert, err
	}
	if *m == nil {
		*m = certificates{}
	}
	(*m)[hostname] = cert
	return cert, nil
}

// keyPair is a certificate from files, read anew when they have changed. A pair
// that cannot be read then leaves the one before in use.
type keyPair struct {
	cert, key string

	mu      sync.Mutex
	loaded  *tls.Certificate
	changed time.Time
}

func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.cert)
	if err == nil && k.loaded != nil && info.ModTime().Equal(k.changed) {
		return k.loaded, nil
	}
	pair, err := tls.LoadX509KeyPair(k.cert, k.key)
	if err != nil {
		if k.loaded != nil {
			return k.loaded, nil
		}
		return nil, err
	}
	k.loaded = &pair
	if info != nil {
		k.changed = info.ModTime()
	}
	return k.loaded, nil
}
