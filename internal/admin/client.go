package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"

	"github.com/trapline/trapline/criteria"
)

// ErrDown says that no daemon answers on the socket.
var ErrDown = errors.New("no daemon answers")

// Client asks a daemon over its socket.
type Client struct {
	socket string
	http   *http.Client
}

// NewClient makes a client of the socket at a path; nothing is dialled yet.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &Client{socket, &http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Lookup, Policy, Stats, Listings and Hits ask the daemon's Desk.
func (c *Client) Lookup(a netip.Addr) (l Lookup, err error) {
	return l, c.ask(context.Background(), "GET", "lookup", url.Values{"ip": {a.String()}}, nil, &l)
}

// Policy asks for the policy in force.
func (c *Client) Policy() (p Policy, err error) {
	return p, c.ask(context.Background(), "GET", "policy", nil, nil, &p)
}

// Stats asks for the daemon at a glance.
func (c *Client) Stats() (s Stats, err error) {
	return s, c.ask(context.Background(), "GET", "stats", nil, nil, &s)
}

// Listings asks for the list.
func (c *Client) Listings(f ListingFilter) ([]Listing, error) {
	q := url.Values{"cause": {f.Cause}}
	setSince(q, f.Since)
	setCIDR(q, f.CIDR)
	return gathered(lines[Listing](c, "listings", q))
}

// gathered is all of a stream, or its error.
func gathered[T any](values iter.Seq2[T, error]) ([]T, error) {
	all := []T{}
	for value, err := range values {
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	return all, nil
}

// oldestFirst asks for records in the order of the log.
const oldestFirst = "oldest"

// Hits asks for records.
func (c *Client) Hits(f HitFilter) iter.Seq2[Hit, error] {
	q := url.Values{"limit": {strconv.Itoa(f.Limit)},
		"unattributed": {strconv.FormatBool(f.Unattributed)},
		"show_traps":   {strconv.FormatBool(f.ShowTraps)}}
	if f.OldestFirst {
		q.Set("order", oldestFirst)
	}
	setSince(q, f.Since)
	if f.Until > 0 {
		q.Set("until", f.Until.String())
	}
	setCIDR(q, f.CIDR)
	return lines[Hit](c, "hits", q)
}

// Exceptions asks for the exceptions that share an address with a network, or
// for all.
func (c *Client) Exceptions(within netip.Prefix) ([]criteria.Exception, error) {
	q := url.Values{}
	setCIDR(q, within)
	return gathered(lines[criteria.Exception](c, "exceptions", q))
}

// Audit asks for the decisions of the ledger.
func (c *Client) Audit(f AuditFilter) iter.Seq2[Decision, error] {
	q := url.Values{"limit": {strconv.Itoa(f.Limit)}, "act": {string(f.Act)}, "by": {f.By},
		"show_traps": {strconv.FormatBool(f.ShowTraps)}}
	if f.OldestFirst {
		q.Set("order", oldestFirst)
	}
	if f.Until > 0 {
		q.Set("until", f.Until.String())
	}
	setSince(q, f.Since)
	return lines[Decision](c, "audit", q)
}

// Decide has an order carried out.
func (c *Client) Decide(ctx context.Context, o Order) (done Effect, err error) {
	return done, c.order(ctx, "decide", o, &done)
}

// Import has the exceptions of a source replaced by its list.
func (c *Client) Import(ctx context.Context, i Import) (done Imported, err error) {
	return done, c.order(ctx, "import", i, &done)
}

// order sends an order as JSON.
func (c *Client) order(ctx context.Context, what string, order, into any) error {
	body, err := json.Marshal(order)
	if err != nil {
		return fmt.Errorf("encode the order: %w", err)
	}
	return c.ask(ctx, "POST", what, nil, bytes.NewReader(body), into)
}

func setSince(q url.Values, s criteria.Second) {
	if s > 0 {
		q.Set("since", s.String())
	}
}

func setCIDR(q url.Values, p netip.Prefix) {
	if p.IsValid() {
		q.Set("cidr", p.String())
	}
}

// Ingest hands a message over as trap mail.
func (c *Client) Ingest(ctx context.Context, message []byte, from, trap string, again bool) (
	Ingested, error) {
	var done Ingested
	q := url.Values{"from": {from}, "trap": {trap}, "again": {strconv.FormatBool(again)}}
	err := c.ask(ctx, "POST", "ingest", q, bytes.NewReader(message), &done)
	return done, err
}

// ask sends one request and decodes its one answer.
func (c *Client) ask(ctx context.Context, method, what string, q url.Values, body io.Reader,
	into any) error {
	reply, err := c.send(ctx, method, what, q, body)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if err := json.NewDecoder(reply.Body).Decode(into); err != nil {
		return fmt.Errorf("read the daemon's answer: %w", err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, what string, q url.Values, body io.Reader) (
	*http.Response, error) {
	address := url.URL{Scheme: "http", Host: "trapline", Path: "/v1/" + what,
		RawQuery: q.Encode()}
	request, err := http.NewRequestWithContext(ctx, method, address.String(), body)
	if err != nil {
		return nil, err
	}
	reply, err := c.http.Do(request)
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err // without the URL, which is ours and tells nobody anything
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w", c.socket, ErrDown)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("ask the daemon: %w: be its user, or in the group of its socket", err)
	case err != nil:
		return nil, fmt.Errorf("ask the daemon: %w", err)
	case reply.StatusCode != http.StatusOK:
		defer reply.Body.Close()
		return nil, problemIn(reply)
	}
	return reply, nil
}

func problemIn(reply *http.Response) error {
	p := &ProblemError{Status: reply.StatusCode}
	if json.NewDecoder(reply.Body).Decode(p) != nil || p.Message == "" {
		p.Message = "the daemon answered " + reply.Status
	}
	return p
}

// mostLine bounds one object of a stream.
const mostLine = 4 << 20

// lines asks for a stream of objects, one a line.
func lines[T any](c *Client, what string, q url.Values) iter.Seq2[T, error] {
	return linesOf[T](context.Background(), c, "GET", what, q)
}

func linesOf[T any](ctx context.Context, c *Client, method, what string, q url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		reply, err := c.send(ctx, method, what, q, nil)
		if err != nil {
			yield(zero, err)
			return
		}
		defer reply.Body.Close()
		in := bufio.NewScanner(reply.Body)
		in.Buffer(nil, mostLine)
		for in.Scan() {
			value, err := lineOf[T](in.Bytes())
			if !yield(value, err) || err != nil {
				return
			}
		}
		if err := in.Err(); err != nil {
			yield(zero, fmt.Errorf("read the daemon's answer: %w", err))
		}
	}
}

func lineOf[T any](line []byte) (value T, err error) {
	var p ProblemError
	if json.Unmarshal(line, &p) == nil && p.Message != "" {
		return value, &p
	}
	return value, json.Unmarshal(line, &value)
}
