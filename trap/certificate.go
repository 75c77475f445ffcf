package trap

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// SelfSigned makes a certificate for hostname, valid for ten years from now. It looks like the
// one that mail servers have from their installation: RSA, 2048 bits, the host name as subject,
// issuer and only alternative name. Nothing in it says what made it. It takes about a second of
// a slow machine, and fails only where there is no randomness or hostname cannot be encoded.
func SelfSigned(hostname string, now time.Time) (tls.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make key for %s: %w", hostname, err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 159))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make serial for %s: %w", hostname, err)
	}
	from := now.UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: hostname},
		DNSNames:              []string{hostname},
		NotBefore:             from,
		NotAfter:              from.AddDate(0, 0, 3650),
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign certificate for %s: %w", hostname, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
