package funchost

import (
	"errors"
	"regexp"
	"strings"
)

var errBlobPath = errors.New("container/pattern is expected, such as raw/{name}")

// blobPattern is a blob trigger's path: a container and a pattern of the name
// with {tokens}.
type blobPattern struct {
	container string
	tokens    []string
	match     *regexp.Regexp
}

var blobToken = regexp.MustCompile(`\{([^{}]+)\}`)

func parseBlobPattern(path string) (*blobPattern, error) {
	container, pattern, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if container == "" || strings.ContainsAny(container, "{}") {
		return nil, errBlobPath
	}
	if !ok || pattern == "" {
		pattern = "{name}" // a bare container means every blob in it
	}
	p := &blobPattern{container: container}
	var re strings.Builder
	re.WriteString(`(?s)^`)
	at := 0
	for _, m := range blobToken.FindAllStringSubmatchIndex(pattern, -1) {
		re.WriteString(regexp.QuoteMeta(pattern[at:m[0]]))
		// A token swallows slashes too; the earlier one takes what it can.
		re.WriteString(`(.+)`)
		p.tokens = append(p.tokens, pattern[m[2]:m[3]])
		at = m[1]
	}
	re.WriteString(regexp.QuoteMeta(pattern[at:]))
	re.WriteString(`$`)
	var err error
	if p.match, err = regexp.Compile(re.String()); err != nil {
		return nil, errBlobPath
	}
	return p, nil
}

// capture returns the tokens of a blob in pattern order; false when the blob is
// not one of the pattern's.
func (p *blobPattern) capture(container, name string) ([]member, bool) {
	if container != p.container {
		return nil, false
	}
	found := p.match.FindStringSubmatch(name)
	if found == nil {
		return nil, false
	}
	var out []member
	for i, token := range p.tokens {
		out = append(out, member{token, found[i+1]})
	}
	return out, true
}
