package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// What is shown is one line that is written over, and nothing of it stays.
func TestMeter(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	m := &meter{to: &out, now: func() time.Time { return at }}
	m.show(0, 0) // a whole that is not known
	m.show(1, 4)
	m.show(2, 4) // too soon
	at = at.Add(time.Second)
	m.show(9, 4)
	at = at.Add(time.Second)
	m.count(3, "message")
	m.clear()
	m.clear()
	blank := strings.Repeat(" ", 38)
	want := "\r[#######                       ]  25 %" +
		"\r[##############################]  99 %" +
		"\r3 messages" + blank[10:] + "\r" + blank + "\r"
	if got := out.String(); got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
}

// In a pipe nothing is shown.
func TestMeterInAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	m := (&app{stderr: w, now: time.Now}).meter()
	m.show(1, 2)
	m.count(1, "message")
	m.clear()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if n, err := r.Read(b); n > 0 || err == nil {
		t.Errorf("%q, %v", b[:n], err)
	}
	if err := errors.Join(r.Close()); err != nil {
		t.Fatal(err)
	}
}
