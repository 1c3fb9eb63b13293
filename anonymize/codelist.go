package anonymize

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"regexp"
	"strings"
	"sync"
)

//go:embed codes.txt.gz
var codesText []byte

// codeList has the codes of a code system.
type codeList struct {
	codes map[string]bool
	// whole says that there are no others.
	whole bool
}

// codeLists are the code systems that HL7 Terminology enumerates, by URL. A name
// that somebody wrote where a code belongs is none of them. It is read once; it
// cannot fail but by a fault of the generator, which the tests would show.
var codeLists = sync.OnceValue(func() map[string]codeList {
	z, err := gzip.NewReader(bytes.NewReader(codesText))
	if err != nil {
		panic(err)
	}
	lists := make(map[string]codeList)
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		system, codes, _ := strings.Cut(lines.Text(), "\t")
		l := codeList{codes: make(map[string]bool), whole: true}
		for code := range strings.SplitSeq(codes, "\t") {
			if code == "*" {
				l.whole = false
				continue
			}
			l.codes[code] = true
		}
		lists[system] = l
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
	return lists
})

// terseCode is what a code looks like that no name does: with a digit and no
// small letter, or of three letters at the most. It has at most eight digits.
func terseCode(code []byte) bool {
	digits := 0
	for _, c := range code {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return tersePattern.Match(code) && digits <= maxDigits && (digits > 0 || len(code) <= 3) && !numbersOfPeople.Match(code)
}

var tersePattern = regexp.MustCompile(`^[A-Z0-9][A-Z0-9_.:/+*-]{0,14}$`)
