package config

import (
	"crypto/tls"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// defaultListen is where mail is taken when no [[listen]] says otherwise: not port 25, so that a
// trial needs no privileges.
const defaultListen = ":2525"

// mostListeners bounds what is compared each with each.
const mostListeners = 100

func (s section) listeners(hostname, persona string) []Listen {
	sections := s.sections("listen")
	if len(sections) > mostListeners {
		s.fault("listen", "is there more than 100 times", "write fewer")
		sections = sections[:mostListeners]
	}
	listeners := make([]Listen, 0, len(sections)+1)
	for _, one := range sections {
		listeners = append(listeners, one.listen(hostname, persona))
	}
	if len(listeners) == 0 {
		address := Address{"tcp", defaultListen}
		listeners = append(listeners,
			Listen{Address: address, Hostname: hostname, Persona: persona, TLS: TLSAuto})
	}
	return listeners
}

func (s section) listen(hostname, persona string) Listen {
	l := Listen{
		Address:   s.listener("address", defaultListen),
		LMTP:      s.word("protocol", "a protocol", "smtp", "lmtp") == "lmtp",
		Hostname:  s.fullName("hostname", hostname),
		Persona:   s.persona(persona),
		TLS:       TLSMode(s.word("tls", "a mode of TLS", "auto", "off", "file")),
		CertFile:  s.text("cert_file", ""),
		KeyFile:   s.text("key_file", ""),
		ProxyFrom: s.believed("proxy_from"),
	}
	s.checkProtocol(l)
	s.checkCertificate(l)
	return l
}

// persona reads whose words a session uses.
func (s section) persona(otherwise string) string {
	others := slices.DeleteFunc([]string{"postfix", "exim", "plain"},
		func(one string) bool { return one == otherwise })
	return s.word("persona", "a persona", append([]string{otherwise}, others...)...)
}

// checkProtocol: LMTP must not be on port 25 (RFC 2033); a unix socket has no client
// address, so only a delivery agent that we trust can stand behind it.
func (s section) checkProtocol(l Listen) {
	_, port, _ := l.Address.endpoint()
	switch {
	case l.LMTP && port == 25:
		s.fault(s.at("protocol"), "is lmtp on port 25", "choose another port: RFC 2033 forbids this one")
	case !l.LMTP && l.Address.Network == "unix" && s.sound(s.at("protocol")):
		s.fault(s.at("address"), "is a unix socket for smtp, where no peer has an address",
			`write protocol = "lmtp"`)
	}
}

func (s section) checkCertificate(l Listen) {
	const pair = `tls = "file" needs cert_file and key_file`
	switch {
	case !s.sound(s.at("tls"), s.at("cert_file"), s.at("key_file")):
	case l.TLS != TLSFile && l.CertFile != "":
		s.fault(s.at("cert_file"), "is not read with tls = "+quoted(string(l.TLS)), `write tls = "file"`)
	case l.TLS != TLSFile && l.KeyFile != "":
		s.fault(s.at("key_file"), "is not read with tls = "+quoted(string(l.TLS)), `write tls = "file"`)
	case l.TLS != TLSFile:
	case l.CertFile == "":
		s.fault(s.at("cert_file"), "is missing", pair)
	case l.KeyFile == "":
		s.fault(s.at("key_file"), "is missing", pair)
	default:
		s.checkPair(l.CertFile, l.KeyFile)
	}
}

func (s section) checkPair(certFile, keyFile string) {
	cert, certErr := readPEM(certFile)
	if certErr != nil {
		s.fault(s.at("cert_file"), certErr.Error(), "give a certificate in PEM that we can read")
	}
	key, keyErr := readPEM(keyFile)
	if keyErr != nil {
		s.fault(s.at("key_file"), keyErr.Error(), "give a key in PEM that we can read")
	}
	if certErr != nil || keyErr != nil {
		return
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		s.fault(s.at("cert_file"), strings.TrimPrefix(err.Error(), "tls: "),
			"give a certificate here and its key in key_file, both in PEM")
	}
}

// readPEM reads a small regular file: a pipe or a device would keep us for ever.
func readPEM(path string) ([]byte, error) {
	const limit = 1 << 20
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("is no file of at most 1 MiB: %s", filepath.Clean(path))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	return io.ReadAll(io.LimitReader(f, limit))
}
