package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// sendMail is the command mail: SOURCE TRAP... brings one message to each trap, in a session of
// its own, as if the source had connected.
func sendMail(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: mail SOURCE TRAP...")
	}
	for _, to := range args[1:] {
		talk := newTalk(ts, args[0])
		for _, line := range []string{"HELO mail.sender.example", "MAIL FROM:<a@sender.example>",
			"RCPT TO:<" + to + ">", "DATA", "Subject: for " + to, "", "Buy now.", ".", "QUIT"} {
			talk.say(line)
		}
		talk.close()
		if !strings.Contains(talk.heard.String(), "250 2.0.0") {
			ts.Fatalf("mail to %s is not taken:\n%s", to, &talk.heard)
		}
	}
}

// converse is the command smtp: SOURCE FILE says the lines of a file and prints the replies. A
// line is a Go string literal without its quotes; {x*3} in it stands for xxx.
func converse(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: smtp SOURCE FILE")
	}
	talk := newTalk(ts, args[0])
	defer talk.close()
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		talk.say(spelled(ts, strings.TrimSuffix(line, "\n")))
	}
	fmt.Fprint(ts.Stdout(), talk.heard.String())
}

var repeated = regexp.MustCompile(`\{(.+?)\*(\d+)\}`)

func spelled(ts *testscript.TestScript, line string) string {
	return repeated.ReplaceAllStringFunc(unescaped(ts, line), func(s string) string {
		part := repeated.FindStringSubmatch(s)
		n, err := strconv.Atoi(part[2])
		ts.Check(err)
		return strings.Repeat(part[1], n)
	})
}

// talk is one SMTP session, line by line.
type talk struct {
	ts     *testscript.TestScript
	conn   *textproto.Conn
	inData bool
	gone   bool // the daemon hung up
	heard  strings.Builder
}

func newTalk(ts *testscript.TestScript, source string) *talk {
	conn, err := net.DialTimeout("tcp", ts.Getenv("MAIL"), patience)
	ts.Check(err)
	ts.Check(conn.SetDeadline(time.Now().Add(patience)))
	t := &talk{ts: ts, conn: textproto.NewConn(conn)}
	family, own := "TCP4", "127.0.0.1"
	if netip.MustParseAddr(source).Is6() {
		family, own = "TCP6", "::1"
	}
	t.say(fmt.Sprintf("PROXY %s %s %s 40000 25", family, source, own))
	return t
}

// say sends a line and, unless it is one of a message, hears the reply.
func (t *talk) say(line string) {
	if t.gone {
		return
	}
	err := t.conn.PrintfLine("%s", line)
	t.inData = t.inData && line != "."
	if t.inData && err == nil {
		return
	}
	code, text := 0, ""
	if err == nil {
		code, text, err = t.conn.ReadResponse(0)
	}
	if err != nil {
		t.gone = true
		t.heard.WriteString("hung up\n")
		return
	}
	t.inData = code == 354
	for part := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(&t.heard, "%d %s\n", code, part)
	}
}

func (t *talk) close() { _ = t.conn.Close() } // all that matters was heard
