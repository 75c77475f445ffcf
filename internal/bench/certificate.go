package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"time"
)

// makeCertificate writes a certificate and its key, the same for all.
func makeCertificate(file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"mx." + domain},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, block := range []*pem.Block{
		{Type: "PRIVATE KEY", Bytes: private}, {Type: "CERTIFICATE", Bytes: cert},
	} {
		text.Write(pem.EncodeToMemory(block))
	}
	return os.WriteFile(file, []byte(text.String()), 0o600)
}
