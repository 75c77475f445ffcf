package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// fall is how a blow fell.
type fall struct {
	caught  bool   // the daemon was at what the blow aimed at
	decided string // the reason of a decision that the daemon said it had carried out
}

// blows are the ways in which the daemon is killed. Each kills it.
var blows = [...]struct {
	name string
	fall func(*load) fall
}{
	{"while it takes mail", (*load).killAtOnce},
	{"while it publishes", (*load).killWhilePublishing},
	{"while it rewrites the past for a burnt trap", (*load).killWhileBurning},
	{"while it drains", (*load).killWhileDraining},
	{"while it keeps its state", (*load).killWhileSaving},
	{"while it follows another policy", (*load).killWhileReloading},
	{"while it starts", (*load).killWhileStarting},
}

func (l *load) killAtOnce() fall {
	l.end()
	l.await(upTo(20 * time.Millisecond))
	l.kill()
	return fall{caught: true}
}

// killWhilePublishing kills it when a generation is being written or is given its public name.
func (l *load) killWhilePublishing() fall {
	at := []string{l.path("zone.state/next"), l.path("zone.state/link")}
	isThere := func(path string) bool { _, err := os.Lstat(path); return err == nil }
	l.spot(func() bool { return slices.ContainsFunc(at, isThere) })
	l.await(upTo(3 * time.Millisecond))
	l.end()
	l.kill()
	return fall{caught: slices.ContainsFunc(at, isThere)}
}

// killWhileBurning kills it once the ledger has a burn, before or after it was answered.
func (l *load) killWhileBurning() fall {
	reason := fmt.Sprintf("round %d", l.round)
	return l.killAfter(reason, "trap", "burn", trapOf(l.round), "--reason", reason)
}

func (l *load) killWhileReloading() fall {
	l.configure(fmt.Sprintf("[criteria]\nthreshold = %d\n", 26+l.round))
	return l.killAfter("", "reload")
}

// killAfter kills it once a verb has changed the ledger.
func (l *load) killAfter(reason string, verb ...string) fall {
	before := l.changed("data/ledger.db")
	var answered atomic.Bool
	var asking sync.WaitGroup
	asking.Go(func() { answered.Store(l.command(verb...).Run() == nil) })
	l.spot(func() bool { return l.changed("data/ledger.db").After(before) })
	l.await(upTo(time.Millisecond + upTo(100*time.Millisecond))) // soon, more often than late
	inTime := answered.Load()
	l.end()
	l.kill()
	asking.Wait()
	if !answered.Load() {
		reason = ""
	}
	return fall{caught: !inTime, decided: reason}
}

// killWhileDraining kills it when it was told to stop and a message is still under way.
func (l *load) killWhileDraining() fall {
	c, err := dial(l.proxy, netip.MustParseAddr("203.0.113.2"))
	if err == nil {
		defer c.leave()
		err = c.begin("unfinished@sender.example", "one@traps.example")
	}
	if err != nil {
		l.Fatal(err)
	}
	l.end()
	l.signal(syscall.SIGTERM)
	l.await(upTo(50 * time.Millisecond))
	caught := !l.isGone()
	l.kill()
	return fall{caught: caught}
}

// killWhileSaving kills it when it was told to stop and writes the state for its next start.
func (l *load) killWhileSaving() fall {
	writing := func() bool {
		found, err := filepath.Glob(l.path("data/.engine.snapshot*"))
		return err == nil && len(found) > 0
	}
	l.end()
	l.signal(syscall.SIGTERM)
	l.spot(func() bool { return writing() || l.isGone() })
	l.kill()
	return fall{caught: writing()}
}

// killWhileStarting kills it under load, and the next one before it is fully at work.
func (l *load) killWhileStarting() fall {
	l.killAtOnce()
	next := l.launch()
	l.await(upTo(100 * time.Millisecond))
	next.kill()
	return fall{caught: len(next.events("caught-up")) == 0}
}

// spot waits for something that is over within milliseconds.
func (l *load) spot(seen func() bool) {
	l.Helper()
	look := time.NewTicker(100 * time.Microsecond)
	defer look.Stop()
	for began := time.Now(); !seen(); <-look.C {
		if time.Since(began) > patience {
			l.Fatal("what the kill waits for does not come")
		}
	}
}

func (l *load) await(d time.Duration) { <-time.After(d) }

func upTo(d time.Duration) time.Duration { return rand.N(d) }

func (s *site) changed(name string) time.Time {
	s.Helper()
	info, err := os.Stat(s.path(name))
	if err != nil {
		s.Fatal(err)
	}
	return info.ModTime()
}
