package main

import (
	"crypto/tls"
	"errors"
	"io"

	"github.com/emersion/go-smtp"
)

// bareVerb makes this program the bare server: serve ADDRESS CERTIFICATE.
const bareVerb = "serve-bare"

// discard is the least that a server made of go-smtp can be.
type discard struct{}

var _ smtp.Session = discard{}

// Mail takes any sender.
func (discard) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt takes any recipient.
func (discard) Rcpt(string, *smtp.RcptOptions) error { return nil }

// Data takes any message, and keeps none.
func (discard) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// Reset has nothing to forget.
func (discard) Reset() {}

// Logout has nothing to do.
func (discard) Logout() error { return nil }

func newDiscard(*smtp.Conn) (smtp.Session, error) { return discard{}, nil }

// serveBare serves, with go-smtp's own settings, until the process is ended.
func serveBare(args []string) error {
	if len(args) != 2 {
		return errors.New("serve go-smtp: want an address and a certificate")
	}
	pair, err := tls.LoadX509KeyPair(args[1], args[1])
	if err != nil {
		return err
	}
	server := smtp.NewServer(smtp.BackendFunc(newDiscard))
	server.Addr = args[0]
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{pair}}
	return server.ListenAndServe()
}
