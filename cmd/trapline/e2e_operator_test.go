package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"
)

// task is something an operator does, and the exit codes that it may have.
type task struct {
	verb  []string
	codes []int
}

// operate does one thing after the other until the crowd leaves, and tells what went wrong.
func (c *crowd) operate() (done int, wrong []string) {
	for round := 0; c.pause(100 * time.Millisecond); round++ {
		for _, t := range c.tasks(round) {
			if !c.pause(rand.N(time.Second)) {
				break
			}
			cmd := c.command(t.verb...)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Run(); !slices.Contains(t.codes, cmd.ProcessState.ExitCode()) {
				wrong = append(wrong, fmt.Sprintf("%v: %v: %.200s", t.verb, err, out.String()))
			}
			done++
		}
	}
	return done, wrong
}

// tasks are a round of work. What is decided in one is taken back in the same or in the next.
func (c *crowd) tasks(round int) []task {
	well, either := []int{exitDone}, []int{exitDone, exitNo}
	source, network := anySource().Addr().String(), fmt.Sprintf("20.%d.0.0/16", round%250)
	burn := []string{"burn", "unburn"}[round%2]
	text := configurationOf(c.site, c.ops, round)
	if err := os.WriteFile(c.path("trapline.toml"), text, 0o644); err != nil {
		return nil // a full disk shows elsewhere
	}
	archive := c.path("backup.tar")
	_ = os.Remove(archive) // the first time there is none
	return []task{
		{[]string{"lookup", source}, either},
		{[]string{"listings"}, well},
		{[]string{"hits", "--limit", "100", "--json"}, well},
		{[]string{"reload"}, well},
		{[]string{"except", "add", network, "--reason", "a test", "--for", "30s"}, well},
		{[]string{"criteria", "simulate", "--set", "threshold=40", "--from", "1m"}, well},
		{[]string{"except", "rm", network, "--reason", "it is over"}, either},
		{[]string{"list", source, "--reason", "a test", "--for", "20s"}, well},
		{[]string{"delist", source, "--reason", "it is over"}, either},
		{[]string{"trap", burn, "trap3@traps.example", "--reason", "a test"}, well},
		{[]string{"trap", "stats"}, well},
		{[]string{"zone", "diff"}, either},
		{[]string{"zone", "build"}, well},
		{[]string{"backup", archive}, well},
		{[]string{"check-store"}, well},
		{[]string{"audit", "--limit", "20"}, well},
		{[]string{"stats", "--json"}, well},
	}
}
