package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/trapline/trapline/internal/config"
)

// interview asks for what a first configuration must be told and no flag has said. What is wrong is
// asked again.
func (a *app) interview(b *config.Basics) error {
	in := bufio.NewScanner(a.stdin)
	kind := string(b.Kind)
	for _, q := range []struct {
		text      string
		otherwise func() string // once the questions before it are answered
		answer    *string
	}{
		{"a domain whose mail is all trapped", func() string { return "traps.example" }, &b.Domain},
		{"what this machine calls itself", func() string { return "mx." + b.Domain }, &b.Hostname},
		{"where mail comes in; from the world it comes to :25", func() string { return ":2525" },
			&b.Listen},
		{"was the domain never in use (pristine), long ago (recycled), or is it like another (typo)",
			func() string { return "pristine" }, &kind},
		{"where hits and the zone are kept", func() string { return "data" }, &b.DataDir},
		{"who keeps the zone, with a dot for the @", func() string { return "hostmaster." + b.Hostname },
			&b.Contact},
		{"where listed senders can read why, as https://bl.example; none is fine",
			func() string { return "" }, &b.BaseURL},
	} {
		if *q.answer != "" {
			continue
		}
		err := a.question(in, q.text, q.otherwise(), func(answer string) error {
			*q.answer, b.Kind = answer, config.Kind(kind)
			if q.answer == &kind {
				b.Kind = config.Kind(answer)
			}
			_, err := config.Starter(*b)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// question asks until an answer is accepted. None is the one in brackets.
func (a *app) question(in *bufio.Scanner, text, otherwise string, accept func(string) error) error {
	for {
		fmt.Fprintf(a.stdout, "%s [%s]: ", text, otherwise)
		if !in.Scan() {
			return fmt.Errorf("read the answer: %w: nothing is written", errors.Join(in.Err(), io.EOF))
		}
		answer := strings.TrimSpace(in.Text())
		if answer == "" {
			answer = otherwise
		}
		err := accept(answer)
		if err == nil {
			return nil
		}
		a.say(err.Error())
	}
}
