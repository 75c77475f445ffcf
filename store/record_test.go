package store

import (
	"bytes"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/trapline/trapline/criteria"
	"github.com/trapline/trapline/parser"
)

// addresses compares what has no exported fields.
var addresses = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

func TestRecordRoundTrip(t *testing.T) {
	full := *hit(7)
	full.LSN, full.Stamp, full.Kind, full.Cause = 9, 1_790_000_000, criteria.Report, parser.Bounce
	full.Ingested, full.Again, full.Inbox, full.TLS = true, true, true, "TLS1.3 TLS_AES_128_GCM_SHA256"
	for i := range full.Digest {
		full.Digest[i] = byte(i * 17)
	}
	with := func(change func(*Record)) Record {
		r := full
		change(&r)
		return r
	}
	for _, c := range []struct {
		name string
		r    Record
	}{
		{"nothing", Record{}},
		{"everything", full},
		{"no source", with(func(r *Record) { r.Source = netip.Addr{} })},
		{"IPv6", with(func(r *Record) {
			r.Source, r.Peer = netip.MustParseAddr("2001:db8::7"), netip.MustParseAddrPort("[2001:db8::7]:25")
		})},
		{"peer with a zone", with(func(r *Record) { r.Peer = netip.MustParseAddrPort("[fe80::1%eth0]:25") })},
		{"no peer", with(func(r *Record) { r.Peer = netip.AddrPort{} })},
		{"before 1970", with(func(r *Record) { r.Time, r.Stamp = -62_135_596_800, -1 })},
		{"bytes that are no text", with(func(r *Record) { r.Helo, r.MailFrom = "\x00\xff\n", strings.Repeat("\xc3", 320) })},
		{"many recipients", with(func(r *Record) {
			r.Traps = strings.Split(strings.Repeat("a@traps.example ", 300), " ")
			r.Recipients = make([]Recipient, 300)
		})},
		{"an empty trap", with(func(r *Record) { r.Traps = []string{""} })},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := recordOf(c.r.LSN, c.r.append(nil))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.r, got, addresses); diff != "" {
				t.Error(diff)
			}
			reader := hitReader{names: map[string]string{}}
			seen, err := reader.hit(c.r.LSN, c.r.append(nil))
			if diff := cmp.Diff(c.r.Hit, seen, addresses, cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("for a replay: %v %s", err, diff)
			}
		})
	}
}

// A field that is added to Record and forgotten in append would be lost.
func TestEveryFieldOfARecordIsPacked(t *testing.T) {
	empty := (&Record{}).append(nil)
	for field := range fieldsOf(reflect.TypeFor[Record]()) {
		// A bucket of its own, the key, and what Recipients say.
		if field == "Evidence" || field == "LSN" || field == "Weights" {
			continue
		}
		var r Record
		fill(reflect.ValueOf(&r).Elem().FieldByName(field))
		if bytes.Equal(r.append(nil), empty) {
			t.Errorf("%s is not packed", field)
		}
	}
}

func fieldsOf(t reflect.Type) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, f := range reflect.VisibleFields(t) {
			if !f.Anonymous && !yield(f.Name) {
				return
			}
		}
	}
}

// fill makes a value other than zero.
func fill(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *netip.Addr:
		*x = netip.MustParseAddr("198.51.100.7")
		return
	case *netip.AddrPort:
		*x = netip.MustParseAddrPort("198.51.100.7:25")
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Array:
		v.Index(0).SetUint(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	default:
		panic("no value for " + v.Type().String())
	}
}

func TestUnsealTellsDamageFromNewer(t *testing.T) {
	k, content := key(7), []byte("content")
	good := seal(bucketHit, k, content)
	newer := append([]byte{schema + 1}, content...)
	sum := key(uint64(checksum(bucketHit, k, newer)))
	newer = append(newer, sum[4:]...)
	for _, c := range []struct {
		name        string
		bucket, key []byte
		value       []byte
		want        error
	}{
		{"good", bucketHit, k, good, nil},
		{"another key", bucketHit, key(8), good, ErrDamaged},
		{"another bucket", bucketEvidence, k, good, ErrDamaged},
		{"empty", bucketHit, k, nil, ErrDamaged},
		{"cut", bucketHit, k, good[:len(good)-1], ErrDamaged},
		{"newer", bucketHit, k, newer, ErrNewer},
	} {
		got, err := unseal(c.bucket, c.key, c.value)
		if !errors.Is(err, c.want) || err == nil && !bytes.Equal(got, content) {
			t.Errorf("%s: %q, %v, want %v", c.name, got, err, c.want)
		}
	}
	for i := range len(good) * 8 {
		flipped := bytes.Clone(good)
		flipped[i/8] ^= 1 << (i % 8)
		if _, err := unseal(bucketHit, k, flipped); !errors.Is(err, ErrDamaged) {
			t.Errorf("bit %d flipped: %v", i, err)
		}
	}
}

func FuzzRecordOf(f *testing.F) {
	r := hit(7)
	f.Add(r.append(nil))
	f.Add((&Record{}).append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := recordOf(1, b)
		if err != nil {
			return
		}
		again, err := recordOf(1, r.append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again, addresses); diff != "" {
			t.Error(diff)
		}
	})
}

func TestEvidenceIsBounded(t *testing.T) {
	for _, size := range []int{0, 1, 256 << 10, evidenceMost, evidenceMost + 1, 10 << 20} {
		head := bytes.Repeat([]byte("Received: from x\r\n"), size/18+1)[:size]
		got, err := unpackEvidence(PackEvidence(head))
		if err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if want := head[:min(size, evidenceMost)]; !bytes.Equal(got, want) {
			t.Errorf("%d bytes come back as %d", size, len(got))
		}
	}
	if _, err := unpackEvidence([]byte("not zstd")); !errors.Is(err, ErrDamaged) {
		t.Errorf("garbage unpacks: %v", err)
	}
	bomb := packer.EncodeAll(make([]byte, 64<<20), nil)
	if got, err := unpackEvidence(bomb); err == nil {
		t.Errorf("a bomb of %d bytes unpacks to %d", len(bomb), len(got))
	}
}
