package redact

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// domainWords are what a secret domain is found by.
func domainWords(domain string) []string {
	ascii, letters := domainForms(domain)
	if ascii == letters {
		return spellings(ascii)
	}
	return append(spellings(ascii), spellings(letters)...)
}

var domainNames = idna.New(idna.MapForLookup(), idna.Transitional(false),
	idna.StrictDomainName(false)) // hosts with underscores do send mail

// domainForms are a domain with A-labels and with U-labels (RFC 5890), without "*." and outer
// dots. What IDNA does not allow stays as it is.
func domainForms(domain string) (ascii, letters string) {
	domain = strings.ToLower(strings.Trim(domain, "*. \t"))
	ascii, letters = domain, domain
	if a, err := domainNames.ToASCII(domain); err == nil {
		ascii = a
	}
	if u, err := domainNames.ToUnicode(domain); err == nil {
		letters = u
	}
	return ascii, letters
}

// addressWords are what a secret address is found by in anybody's mail, besides its domain: the
// whole, and the local part if that alone says who it is.
func addressWords(address string) (words []string) {
	local, domain := cutAddress(address)
	ascii, letters := domainForms(domain)
	for _, d := range []string{ascii, letters} {
		words = append(words, folded(local+d), folded(local+"at"+d))
	}
	if isTelling(local) {
		words = append(words, spellings(local)...)
	}
	return words
}

// isTelling says whether a local part names one mailbox even without its domain. "information"
// does not, and mail that mentions it stays readable.
func isTelling(local string) bool {
	n := len(folded(local))
	isWord := !strings.ContainsFunc(local, func(r rune) bool { return !unicode.IsLetter(r) })
	return n >= 16 || n >= 8 && !isWord
}

// recipientWords are what a recipient is found by in the mail it got.
func recipientWords(address string) []string {
	address = strings.ToLower(address)
	local, domain := cutAddress(address)
	words := slices.Concat(addressWords(address), domainWords(domain), spellings(local))
	if base := local[:max(0, strings.IndexAny(local, "+=-"))]; base != "" {
		words = append(words, spellings(base)...) // a tag of RFC 5233, or somebody else's VERP
	}
	for _, s := range []string{address, local, domain} {
		if s != "" {
			words = append(words, digests(s)...)
		}
	}
	return words
}

// cutAddress gives the two halves; the local part without its quotes, RFC 5321 section 4.1.2.
func cutAddress(address string) (local, domain string) {
	address = strings.Trim(strings.TrimSpace(address), "<>")
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address, ""
	}
	return quotes.Replace(address[:at]), address[at+1:]
}

var quotes = strings.NewReplacer(`\`, "", `"`, "")

// spellings are a secret as it is, backwards, in ROT13, in hex, and what of it base64 always
// spells alike, whatever stands before and after it. All are folded.
func spellings(secret string) []string {
	plain := strings.ToLower(secret)
	words := []string{folded(plain), folded(backwards(plain)), folded(strings.Map(rot13, plain))}
	for _, s := range []string{plain, strings.ToUpper(secret)} {
		words = append(words, hex.EncodeToString([]byte(s)))
		for before := range 3 {
			words = append(words, base64Core(s, before))
		}
	}
	return slices.DeleteFunc(words[:len(words):len(words)], func(w string) bool {
		return len(w) < sureWord && w != words[0] // a stray "bmV" is an accident
	})
}

func backwards(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

func rot13(r rune) rune {
	if r < 'a' || r > 'z' {
		return r
	}
	return 'a' + (r-'a'+13)%26
}

// base64Core is what is common to base64 of all texts that hold s with `before` bytes in front of
// it, modulo 3: the characters whose six bits are all of s. Both alphabets fold to the same.
func base64Core(s string, before int) string {
	all := base64.RawStdEncoding.EncodeToString([]byte("  "[:before] + s))
	last := (before + len(s)) * 8 / 6
	return folded(all[min((before*8+5)/6, last):last])
}

// known is how much of a digest is looked for, in characters: a part of it is often all there is.
const known = 8

// digests are the beginnings of the digests of s, folded.
func digests(s string) []string {
	text := []byte(s)
	sum1, sum5 := sha1.Sum(text), md5.Sum(text)
	sum256, sum512 := sha256.Sum256(text), sha512.Sum512(text)
	var words []string
	for _, sum := range [][]byte{sum5[:], sum1[:], sum256[:], sum512[:]} {
		words = append(words, hex.EncodeToString(sum)[:known],
			folded(base64.StdEncoding.EncodeToString(sum)[:known]))
	}
	crc := crc32.ChecksumIEEE(text)
	return append(words, strconv.FormatUint(uint64(crc), 10),
		hex.EncodeToString(binary.BigEndian.AppendUint32(nil, crc)))
}

// folded is a secret as the skeleton of a text would have it.
func folded(s string) string {
	return string(skeletonOf(norm.NFKC.String(s)).text)
}
