package parser

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTracesAreApart: a trace is whoever's it was given to, however many messages are read after it
// in the room of the first.
func TestTracesAreApart(t *testing.T) {
	var messages [][]byte
	for _, row := range readLines[caseLine](t, "../testdata/received.jsonl") {
		messages = append(messages, []byte("Received: "+string(latin1(row.Received[0]))+"\r\n"+
			headerFields+"\r\n"), []byte("Subject: none\r\n\r\n"))
	}
	parse := func(message []byte) Trace {
		return Parse(message, Connection{Peer: peer, Helo: "x"}, trustAll())
	}
	first, printed := make([]Trace, len(messages)), make([]string, len(messages))
	for i, m := range messages {
		first[i] = parse(m)
		printed[i] = fmt.Sprintf("%+v", first[i])
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for i, m := range messages {
				if got := parse(m); !reflect.DeepEqual(got, first[i]) {
					t.Errorf("message %d reads otherwise the next time: %s", i, cmp.Diff(
						fmt.Sprintf("%+v", first[i]), fmt.Sprintf("%+v", got)))
				}
			}
		})
	}
	readers.Wait()
	for i := range first {
		if diff := cmp.Diff(printed[i], fmt.Sprintf("%+v", first[i])); diff != "" {
			t.Errorf("the trace of message %d has changed: %s", i, diff)
		}
	}
}

// TestForget leaves nothing behind that would keep a message in memory.
func TestForget(t *testing.T) {
	var w walk
	w.line.lex("from a by b; " + strings.Repeat("x ", 50))
	room := cap(w.line.tokens)
	w.forget()
	if len(w.line.tokens) != 0 || cap(w.line.tokens) != room {
		t.Errorf("%d of %d tokens", len(w.line.tokens), cap(w.line.tokens))
	}
	for i, token := range w.line.tokens[:room] {
		if token.text != "" {
			t.Errorf("token %d is %+v", i, token)
		}
	}
}
