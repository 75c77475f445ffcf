package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"
)

// badGuests are the others. They expect nothing: what the daemon must do about each has tests of
// its own, here they have to be survived.
var badGuests = []guest{
	{"says nothing", 20, time.Second, (*crowd).sayNothing},
	{"a byte at a time", 10, time.Second, (*crowd).dripCommands},
	{"a line of content at a time", 10, time.Second, (*crowd).dripContent},
	{"never reads", 4, time.Second, (*crowd).neverRead},
	{"noise", 3, 500 * time.Millisecond, (*crowd).noise},
	{"noise as a PROXY header", 2, time.Second, (*crowd).noisyProxy},
	{"http", 2, 500 * time.Millisecond, saying("GET / HTTP/1.1\r\nHost: mx.traps.example\r\n\r\n")},
	{"tls where none was agreed", 2, 500 * time.Millisecond,
		saying("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")},
	{"comes and goes", 4, 200 * time.Millisecond, saying("QUIT\r\n")},
	{"a thousand recipients", 2, time.Second, saying("EHLO x\r\nMAIL FROM:<flood@sender.example>\r\n" +
		strings.Repeat("RCPT TO:<nobody@elsewhere.example>\r\n", 1000) + "QUIT\r\n")},
	{"does nothing, often", 2, time.Second, saying("EHLO x\r\n" + strings.Repeat("NOOP\r\n", 5000))},
	{"long lines", 2, time.Second, saying("EHLO x\r\nMAIL FROM:<" +
		strings.Repeat("x", 100_000) + "@sender.example>\r\nQUIT\r\n")},
	{"unknown words", 2, time.Second, saying("EHLO x\r\n" + strings.Repeat("XYZZY \x00\xff\r\n", 100))},
	{"chunks", 2, time.Second, saying("EHLO x\r\nMAIL FROM:<chunk@sender.example>\r\n" +
		toTrap + "BDAT 5 LAST\r\nhello\r\nQUIT\r\n")},
	{"resets", 4, 200 * time.Millisecond, (*crowd).reset},
	{"half closes", 3, 500 * time.Millisecond, (*crowd).halfClose},
	{"more than fits", 3, time.Second, (*crowd).bringTooMuch},
	{"smuggles", 3, 300 * time.Millisecond, (*crowd).smuggle},
	{"breaks off a handshake", 3, 500 * time.Millisecond,
		inTLS("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03")},
	{"injects before a handshake", 2, 500 * time.Millisecond, inTLS("")},
}

const toTrap = "RCPT TO:<trap1@traps.example>\r\n"

// door is where a guest comes in: either listener, from anybody.
func (c *crowd) door() (*caller, error) {
	if rand.IntN(4) == 0 {
		return c.connect(c.mail, nil)
	}
	return c.connect(c.proxy, headerOf(byte(1+rand.IntN(2)), anySource()))
}

// hangOn reads until the daemon closes the connection. It may not keep it longer than its limits
// allow, which are shorter than the deadline.
func (c *caller) hangOn() error {
	_, err := io.Copy(io.Discard, c.raw)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.Join(err, c.Close())
	}
	return c.Close() // a reset is an end as well
}

// saying makes a guest that says its piece at once and waits for the end.
func saying(text string) func(*crowd) error {
	return func(c *crowd) error {
		call, err := c.door()
		if err != nil {
			return err
		}
		_, _ = io.WriteString(call.raw, text) // it may be cut short
		return call.hangOn()
	}
}

// inTLS makes a guest that agrees on TLS and then says something else.
func inTLS(text string) func(*crowd) error {
	return func(c *crowd) error {
		call, err := c.door()
		if err != nil {
			return err
		}
		lines := "EHLO x\r\nSTARTTLS\r\n"
		if text == "" {
			lines += "MAIL FROM:<injected@sender.example>\r\n"
		}
		_, _ = io.WriteString(call.raw, lines+text)
		return call.hangOn()
	}
}

func (c *crowd) sayNothing() error { return saying("")(c) }

// dripCommands and dripContent take their time, until they are cut off.
func (c *crowd) dripCommands() error { return c.drip("", "EHLO mail.sender.example\r\n", 1) }

func (c *crowd) dripContent() error {
	return c.drip("EHLO x\r\nMAIL FROM:<slow@sender.example>\r\n"+toTrap+"DATA\r\n",
		strings.Repeat("a line that is followed by another\r\n", 1000), 36)
}

// drip says one thing at once and the other in pieces, half a second apart.
func (c *crowd) drip(first, rest string, piece int) error {
	call, err := c.door()
	if err != nil {
		return err
	}
	_, err = io.WriteString(call.raw, first)
	for err == nil && len(rest) >= piece && c.pause(500*time.Millisecond) {
		_, err = io.WriteString(call.raw, rest[:piece])
		rest = rest[piece:]
	}
	return call.hangOn()
}

// neverRead asks and asks, and does not take the answers.
func (c *crowd) neverRead() error {
	call, err := c.door()
	if err != nil {
		return err
	}
	questions := []byte(strings.Repeat("RSET\r\n", 1000))
	for err == nil && c.ctx.Err() == nil {
		_, err = call.raw.Write(questions)
	}
	return call.Close()
}

func (c *crowd) noise() error {
	text := make([]byte, rand.IntN(100_000))
	for i := range text {
		text[i] = byte(rand.Uint32())
	}
	return saying(string(text))(c)
}

func (c *crowd) noisyProxy() error {
	call, err := c.connect(c.proxy, bytes.Repeat([]byte("PROXY "), rand.IntN(100)))
	if err != nil {
		return err
	}
	return call.hangOn()
}

// reset is gone with a RST, in the middle of anything.
func (c *crowd) reset() error {
	call, err := c.door()
	if err != nil {
		return err
	}
	text := "EHLO x\r\nMAIL FROM:<gone@sender.example>\r\n" + toTrap + "DATA\r\nSubject: x\r\n"
	_, _ = io.WriteString(call.raw, text[:rand.IntN(len(text))])
	c.pause(rand.N(10 * time.Millisecond))
	return errors.Join(call.raw.(*net.TCPConn).SetLinger(0), call.Close())
}

// halfClose says all it has to say, and that this was all, before it listens.
func (c *crowd) halfClose() error {
	call, err := c.door()
	if err != nil {
		return err
	}
	_, _ = io.WriteString(call.raw, "EHLO x\r\nMAIL FROM:<half@sender.example>\r\n"+toTrap+
		"DATA\r\nSubject: cut o")
	_ = call.raw.(*net.TCPConn).CloseWrite() // the daemon may have closed before
	return call.hangOn()
}

// bringTooMuch brings a message over the limit: it is a hit all the same.
func (c *crowd) bringTooMuch() error {
	call, err := c.greet(c.proxy, headerOf(2, anySource()))
	if err != nil {
		return err
	}
	name := fmt.Sprintf("large-%d", rand.Uint64())
	if err := call.begin(name+"@sender.example", anyTrap()); err != nil {
		return errors.Join(err, call.Close())
	}
	line := strings.Repeat("x", 98) + "\r\n"
	if err := call.say(552, "Subject: %s\r\n\r\n%s.", name, strings.Repeat(line, 11_000)); err != nil {
		return errors.Join(err, call.Close())
	}
	c.acknowledge(name)
	return call.quit()
}

// endings are what some servers take for the end of a message.
var endings = []string{"\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r",
	"\r\n\x00.\r\n"}

// smuggle brings one message that looks like two. The second must not be there at the end.
func (c *crowd) smuggle() error {
	call, err := c.greet(c.proxy, headerOf(1, anySource()))
	if err != nil {
		return err
	}
	name := fmt.Sprintf("smuggler-%d", rand.Uint64())
	if err := call.begin(name+"@sender.example", anyTrap()); err != nil {
		return errors.Join(err, call.Close())
	}
	err = call.say(250, "Subject: %s\r\n\r\nfirst%sMAIL FROM:<smuggled@sender.example>\r\n"+
		"RCPT TO:<trap2@traps.example>\r\nDATA\r\nSubject: second\r\n\r\nsecond\r\n.",
		name, endings[rand.IntN(len(endings))])
	if err != nil {
		return errors.Join(err, call.Close())
	}
	c.acknowledge(name)
	return call.quit()
}
