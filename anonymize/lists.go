package anonymize

import (
	_ "embed"
	"strings"

	"fhirdeid/anonymize/policy"
)

//go:generate go run ./gen ../../shared

var (
	//go:embed zip3.txt
	zip3Text string
	//go:embed codesystems.txt
	codeSystemsText string
)

// lists are what a strict policy may keep.
type lists struct {
	zip3        map[string]bool
	codeSystems map[string]bool
	// ownSystems are those that the policy adds.
	ownSystems map[string]bool
	extensions map[string]bool
	// public are URLs of extensions and code systems that may be shown.
	public map[string]bool
}

// newLists joins the built-in lists with the policy's. The policy's own
// restricted ZIP prefixes only take away.
func newLists(p *policy.Policy) *lists {
	public := set(registryText + codeSystemsText)
	if p.Mode != policy.Strict {
		return &lists{public: public}
	}
	l := &lists{zip3: set(zip3Text), codeSystems: set(codeSystemsText), ownSystems: make(map[string]bool), extensions: make(map[string]bool), public: public}
	for _, prefix := range p.Parameters.RestrictedZIPCodes {
		delete(l.zip3, prefix)
	}
	for _, url := range p.CodeSystems {
		if !l.codeSystems[url] {
			l.ownSystems[url] = true
		}
	}
	for _, url := range p.Extensions {
		l.extensions[url] = true
	}
	return l
}

func set(text string) map[string]bool {
	s := make(map[string]bool)
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			s[line] = true
		}
	}
	return s
}
