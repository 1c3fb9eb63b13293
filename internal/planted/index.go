package planted

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// Index finds many tokens in a text at once. It is not safe for concurrent use.
type Index struct {
	tokens []Token
	// part is how many characters of a token are as good as all of it.
	part int
	// whole is what is looked for as it is, months the years with a month. Each
	// leads to a token.
	whole, months map[string]int32
	// grams are the parts of words and numbers. They are made when something is
	// there that could be one: in a clean text nothing is.
	grams map[string]int32
}

// Hit is a token that was found.
type Hit struct {
	Token Token
	// Form is how: text, base64, digits, date, month, year, number, uuid.
	Form string
}

// NewIndex makes an index. part is how many characters of a word are as good as
// the whole word, at most 12: 6 where a text is made of one resource, more where
// it is long and has much else. Of numbers it is at least 7, and at most 9.
func NewIndex(tokens []Token, part int) *Index {
	x := &Index{tokens: tokens, part: part, whole: make(map[string]int32), months: make(map[string]int32)}
	for i, t := range tokens {
		switch t.Kind {
		case Text, Town, Code, Digits:
		case Date:
			x.whole[t.Value] = int32(i)
			x.whole[strings.ReplaceAll(t.Value, "-", "")] = int32(i)
			x.months[t.Value[:7]] = int32(i)
		default: // old, age, zip, time, ip, uuid
			x.whole[t.Value] = int32(i)
		}
	}
	return x
}

// digitPart is how many digits are as good as a whole number.
func (x *Index) digitPart() int { return min(max(7, x.part), 9) }

// gram finds the token that has a part of a word or of a number.
func (x *Index) gram(s string) (int32, bool) {
	if x.grams == nil {
		x.grams = make(map[string]int32)
		for i, t := range x.tokens {
			switch t.Kind {
			case Text, Town, Code:
				x.addGrams(int32(i), strings.ToLower(t.Value), x.part)
			case Digits:
				x.addGrams(int32(i), t.Value, x.digitPart())
			}
		}
	}
	i, ok := x.grams[s]
	return i, ok
}

func (x *Index) addGrams(i int32, s string, n int) {
	for k := 0; k+n <= len(s); k++ {
		if _, ok := x.grams[s[k:k+n]]; !ok {
			x.grams[s[k:k+n]] = i
		}
	}
}

var (
	packed     = regexp.MustCompile(`[A-Za-z0-9+/_-]{8,}`)
	numbers    = regexp.MustCompile(`[0-9](?:[0-9]|[-. ()/][-. ()]?[0-9])*`)
	pseudonyms = regexp.MustCompile(`\b(?:[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b`)
	bounded    = regexp.MustCompile(`[0-9][0-9.:-]*[0-9]`)
	escaped    = regexp.MustCompile(`(?:%[0-9A-Fa-f]{2})+|(?:\\u[0-9A-Fa-f]{4})+`)
)

// Find finds the tokens, each with one form. Pseudonyms, which have the form of a
// UUID, are compared as wholes only.
func (x *Index) Find(text []byte) []Hit {
	found := make(map[int32]string)
	hit := func(i int32, form string) {
		if _, ok := found[i]; !ok {
			found[i] = form
		}
	}
	if escaped.Match(text) {
		text = escaped.ReplaceAllFunc(text, unescape)
	}
	for _, p := range pseudonyms.FindAll(text, -1) {
		if i, ok := x.whole[strings.ReplaceAll(string(p), "-", "")]; ok {
			hit(i, "uuid")
		}
	}
	text = pseudonyms.ReplaceAll(text, []byte("~"))
	x.findWords(text, "text", hit)
	var plain []byte
	for _, word := range packed.FindAll(text, -1) {
		for shift := range 4 {
			plain = unpack(plain[:0], word[shift:])
			x.findWords(plain, "base64", hit)
		}
	}
	x.findDigits(text, hit)
	x.findWhole(text, hit)
	var hits []Hit
	for i, form := range found {
		hits = append(hits, Hit{x.tokens[i], form})
	}
	return hits
}

// letters says which bytes the words are made of, in either case.
var letters = func() (is [256]bool) {
	for _, c := range wordLetters {
		is[c], is[c-0x20] = true, true
	}
	return is
}()

// findWords looks at each run of letters that is long enough for a part of a word.
func (x *Index) findWords(text []byte, form string, hit func(int32, string)) {
	begin := 0
	for i := 0; i <= len(text); i++ {
		if i < len(text) && letters[text[i]] {
			continue
		}
		if i-begin >= x.part {
			run := strings.ToLower(string(text[begin:i]))
			for k := 0; k+x.part <= len(run); k++ {
				if token, ok := x.gram(run[k : k+x.part]); ok {
					hit(token, form)
				}
			}
		}
		begin = i + 1
	}
}

// unpack undoes base64, of either alphabet, of as much as makes whole bytes.
func unpack(dst, word []byte) []byte {
	encoding := base64.RawStdEncoding
	if bytes.ContainsAny(word, "-_") {
		encoding = base64.RawURLEncoding
	}
	if len(word)%4 == 1 {
		word = word[:len(word)-1]
	}
	dst, err := encoding.AppendDecode(dst, word)
	if err != nil {
		return dst[:0]
	}
	return dst
}

// findDigits looks at each number, without what groups its digits. A planted one
// has no 0 and no 1.
func (x *Index) findDigits(text []byte, hit func(int32, string)) {
	n := x.digitPart()
	for _, number := range numbers.FindAll(text, -1) {
		run := make([]byte, 0, len(number))
		for i := 0; i <= len(number); i++ {
			if i < len(number) && number[i] >= '2' && number[i] <= '9' {
				run = append(run, number[i])
				continue
			}
			if i < len(number) && (number[i] < '0' || number[i] > '9') {
				continue
			}
			for k := 0; k+n <= len(run); k++ {
				if token, ok := x.gram(string(run[k : k+n])); ok {
					hit(token, "digits")
				}
			}
			run = run[:0]
		}
	}
}

// findWhole looks at what has digits, with what may stand between them.
func (x *Index) findWhole(text []byte, hit func(int32, string)) {
	for _, span := range bounded.FindAllIndex(text, -1) {
		if span[0] > 0 && isWord(text[span[0]-1]) || span[1] < len(text) && isWord(text[span[1]]) && text[span[1]] != 'T' {
			continue // in a word
		}
		number := string(text[span[0]:span[1]])
		if i, ok := x.whole[number]; ok {
			hit(i, "number")
		}
		if len(number) >= 10 {
			if i, ok := x.whole[number[:10]]; ok {
				hit(i, "date")
			}
		}
		if len(number) >= 7 {
			if i, ok := x.months[number[:7]]; ok {
				hit(i, "month")
			}
		}
		if len(number) >= 4 {
			if i, ok := x.whole[number[:4]]; ok {
				hit(i, "year")
			}
		}
	}
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// unescape undoes escapes of URLs and of JSON.
func unescape(s []byte) []byte {
	if s[0] == '%' {
		if plain, err := url.PathUnescape(string(s)); err == nil {
			return []byte(plain)
		}
		return s
	}
	var plain string
	if json.Unmarshal([]byte(`"`+string(s)+`"`), &plain) != nil {
		return s
	}
	return []byte(plain)
}
