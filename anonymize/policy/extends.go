package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// A file that has "extends" takes a built-in profile as its base: mode and claim,
// the lists, and behind its own rules the profile's. Since the first rule that
// reaches an element decides, its own come first. To keep more than the profile
// does, a rule or an item of a list needs a "reason"; whether it does keep more is
// found out when the policy is compiled.

// Loosening is a place where a file keeps more than its claim's profile.
type Loosening struct {
	// Path is the rule's path, or the URL of a code system or an extension.
	Path string
	// Method is the rule's, or codeSystems or extensions for an item of a list.
	Method Method
	// Reason is what the author wrote.
	Reason string
}

// Loosenings are the rules and list items that give a reason, in their order.
func (p *Policy) Loosenings() []Loosening {
	var all []Loosening
	for _, r := range p.Rules {
		if r.Reason != "" {
			all = append(all, Loosening{r.Path, r.Method, r.Reason})
		}
	}
	return append(all, p.listed...)
}

// Loosened are the loosenings by kind: element paths, and URLs of code systems and
// of extensions.
func (p *Policy) Loosened() (paths, codeSystems, extensions []string) {
	for _, l := range p.Loosenings() {
		switch l.Method {
		case codeSystemsKey:
			codeSystems = append(codeSystems, l.Path)
		case extensionsKey:
			extensions = append(extensions, l.Path)
		default:
			paths = append(paths, l.Path)
		}
	}
	return paths, codeSystems, extensions
}

// The members that list what a strict policy keeps.
const (
	codeSystemsKey = "codeSystems"
	extensionsKey  = "extensions"
)

// Extends is the name of the profile that the file extends, or "".
func (p *Policy) Extends() string {
	if p.base == nil {
		return ""
	}
	return p.base.name
}

// Base is the built-in profile with the policy's claim, and nil where the policy
// is that profile itself or claims nothing.
func (p *Policy) Base() (*Policy, error) {
	if p.Claim == ClaimNone || p.name == string(p.Claim) {
		return nil, nil
	}
	return Builtin(string(p.Claim))
}

func (p *Policy) readExtends(root *node, o *ParseOptions) error {
	name, line, err := scalar(root, "extends")
	if err != nil || name == "" {
		return err
	}
	if o.Compat == CompatMicrosoft {
		return &Error{Line: line, Text: "a policy with \"extends\" cannot be read as Microsoft's tool reads files: that knows no profiles"}
	}
	base, err := Builtin(name)
	if err != nil {
		return &Error{Line: line, Text: "\"extends\": " + err.Error()}
	}
	for _, key := range []string{"mode", "claim"} {
		if v := root.getFold(key); v != nil {
			return &Error{Line: v.line, Text: fmt.Sprintf("%q cannot be given beside \"extends\": it is that of the profile %s", key, name)}
		}
	}
	p.base, p.Mode, p.Claim = base, base.Mode, base.Claim
	return nil
}

// takeBase puts what the profile has behind what the file has.
func (p *Policy) takeBase() {
	if p.base == nil {
		return
	}
	for _, r := range p.base.Rules {
		r.Number += len(p.Rules)
		r.Profile = p.base.name
		p.Rules = append(p.Rules, r)
	}
	for i := range p.Rules { // the numbers of the profile's follow on
		p.Rules[i].Number = i + 1
	}
	p.CodeSystems = slices.Concat(p.CodeSystems, p.base.CodeSystems)
	p.Extensions = slices.Concat(p.Extensions, p.base.Extensions)
	p.source = bytes.Join([][]byte{p.source, p.base.source}, []byte{0})
}

// readList reads "codeSystems" or "extensions": URLs, each a text or an object with
// "url" and "reason".
func (p *Policy) readList(root *node, key string, into *[]string) error {
	v := root.getFold(key)
	if v == nil || v.kind == kindNull {
		return nil
	}
	if v.kind != kindArray {
		return &Error{Line: v.line, Text: fmt.Sprintf("%q must be a list, not %s", key, v.kind)}
	}
	for _, item := range v.items {
		url, reason := item, ""
		if item.kind == kindObject {
			url = item.get("url")
			if r := item.get("reason"); r != nil && r.kind == kindString {
				reason = strings.TrimSpace(r.text)
			}
			if url == nil || reason == "" {
				return &Error{Line: item.line, Text: fmt.Sprintf("an object in %q needs \"url\" and \"reason\"", key)}
			}
		}
		if url.kind != kindString || strings.TrimSpace(url.text) == "" {
			return &Error{Line: item.line, Text: fmt.Sprintf("%q must be a list of texts, or of objects with \"url\" and \"reason\"", key)}
		}
		if reason != "" {
			p.listed = append(p.listed, Loosening{url.text, Method(key), reason})
		} else if p.base != nil {
			return &Error{Line: item.line, Text: fmt.Sprintf("an item of %q keeps more than the profile %s; write {\"url\": %q, \"reason\": \"why this may be kept\"}", key, p.base.name, url.text)}
		}
		*into = append(*into, url.text)
	}
	return nil
}
