package trap

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// longestName is what a certificate can hold as a common name, RFC 5280 appendix A.1.
const longestName = 64

// SelfSigned makes a certificate for hostname, valid for ten years from now. It is, but for names
// and numbers, the one that Debian makes for each of its servers when ssl-cert is installed, and
// that its mail servers show unless told otherwise: RSA of 2048 bits, the host name as subject,
// issuer and only alternative name, encoded as OpenSSL does it. A key on an elliptic curve would be
// cheaper by far, and a certificate of a kind that hardly anybody else has. It takes about a
// second of a slow machine, and fails only where there is no randomness or hostname cannot be
// encoded.
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
		SerialNumber:       serial,
		SignatureAlgorithm: x509.SHA256WithRSA,
		NotBefore:          from,
		NotAfter:           from.AddDate(0, 0, 3650),
	}
	if template.RawSubject, err = subject(hostname); err == nil {
		template.ExtraExtensions, err = extensions(hostname, &key.PublicKey)
	}
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make certificate for %s: %w", hostname, err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign certificate for %s: %w", hostname, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// subject is the common name in UTF-8, where crypto/x509 would choose another kind of string. Of a
// name that is too long it is the first label, which is what "hostname" prints.
func subject(hostname string) ([]byte, error) {
	if hostname == "" || !isASCII(hostname) {
		return nil, errors.New("the name is not in ASCII")
	}
	if len(hostname) > longestName {
		hostname, _, _ = strings.Cut(hostname, ".")
	}
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value string `asn1:"utf8"`
	}
	type nameSET []attribute // asn1 makes a SET of what is called so
	return asn1.Marshal([]nameSET{{{asn1.ObjectIdentifier{2, 5, 4, 3}, hostname}}})
}

// extensions are the three of that certificate, in its order; none is critical.
func extensions(hostname string, key *rsa.PublicKey) ([]pkix.Extension, error) {
	constraints, err := asn1.Marshal(struct{}{}) // CA:FALSE is the default
	if err != nil {
		return nil, err
	}
	const dnsName = 2 // RFC 5280 section 4.2.1.6
	names, err := asn1.Marshal([]asn1.RawValue{
		{Class: asn1.ClassContextSpecific, Tag: dnsName, Bytes: []byte(hostname)}})
	if err != nil {
		return nil, err
	}
	digest := sha1.Sum(x509.MarshalPKCS1PublicKey(key)) // RFC 5280 section 4.2.1.2, method 1
	id, err := asn1.Marshal(digest[:])
	return []pkix.Extension{
		{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Value: constraints},
		{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: names},
		{Id: asn1.ObjectIdentifier{2, 5, 29, 14}, Value: id},
	}, err
}

// NewTLS returns the settings of TLS for a listener: those of a mail server of Debian 12, as far
// as they can be set. Such a one has TLS 1.2 and 1.3, gives session tickets, asks for no
// certificate and knows of no protocol to choose. The key exchanges are those that its OpenSSL
// has too, which leaves out the dear ones that are proof against quantum computers.
func NewTLS(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		GetCertificate:   certificate,
		MinVersion:       tls.VersionTLS12,
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP521, tls.CurveP384},
	}
}
