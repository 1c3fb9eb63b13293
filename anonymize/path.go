package anonymize

import (
	"fmt"
	"regexp"
	"strings"
)

// route is a rule's path in steps. A path is split once: a leading type name is
// the prefix, and says which resources the rule applies to.
type route struct {
	prefix string
	// self: the path is its own prefix, so the resource itself is meant.
	self bool
	// index: the whole path is nodesByType or nodesByName, perhaps with one more
	// name: found among all nodes below a resource, nested resources included as
	// nodes but not entered.
	index bool
	steps []step
}

// step goes from a node to some below it.
type step struct {
	// name is the child's name, or "" for a descendant.
	name string
	// byType and byName say which descendant.
	byType, byName string
	// typ limits the type, or is "".
	typ string
}

var (
	prefixPattern = regexp.MustCompile(`^([A-Z][a-zA-Z]*)(?:\.|$)`)
	indexPattern  = regexp.MustCompile(`^nodesBy(Type|Name)\(\s*['"]([A-Za-z0-9]+)['"]\s*\)(?:\.([A-Za-z0-9]+))?$`)
	itemPattern   = regexp.MustCompile(`^(?:([a-z][A-Za-z0-9]*)$|nodesBy(Type|Name)\(\s*['"]([A-Za-z0-9]+)['"]\s*\)$|(?:ofType|as)\(\s*(?:FHIR\.)?([A-Za-z0-9]+)\s*\)$)`)
	asPattern     = regexp.MustCompile(`^(.*\S)\s+as\s+(?:FHIR\.)?([A-Za-z0-9]+)$`)
)

// parsePath reads a rule's path: element names, nodesByType and nodesByName, and
// limits to a type. More of FHIRPath is refused, never passed over.
func parsePath(path string) (route, error) {
	path = strings.TrimSpace(path)
	if m := indexPattern.FindStringSubmatch(path); m != nil {
		r := route{index: true, steps: []step{descendant(m[1], m[2])}}
		if m[3] != "" {
			r.steps = append(r.steps, step{name: m[3]})
		}
		return r, nil
	}
	var r route
	rest := path
	if m := prefixPattern.FindStringSubmatch(path); m != nil {
		r.prefix = m[1]
		rest = strings.TrimPrefix(path[len(m[1]):], ".")
	}
	if rest == "" {
		if r.prefix == "" {
			return r, fmt.Errorf("the path is empty")
		}
		r.self = true
		return r, nil
	}
	var err error
	r.steps, err = parseSteps(rest)
	if err != nil {
		return r, fmt.Errorf("the path %q: %w", path, err)
	}
	return r, nil
}

func descendant(by, what string) step {
	if by == "Type" {
		return step{byType: what}
	}
	return step{byName: what}
}

// parseSteps reads "a.b", "a.b as T", "(a as T).b", "a.ofType(T)" and such.
func parseSteps(text string) ([]step, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "(") {
		end := strings.IndexByte(text, ')')
		if end > 0 {
			steps, err := parseSteps(text[1:end])
			if err != nil || end == len(text)-1 {
				return steps, err
			}
			if text[end+1] == '.' {
				more, err := parseSteps(text[end+2:])
				return append(steps, more...), err
			}
		}
		return nil, errPath
	}
	if m := asPattern.FindStringSubmatch(text); m != nil {
		steps, err := parseSteps(m[1])
		if err != nil {
			return nil, err
		}
		return limit(steps, m[2])
	}
	var steps []step
	for _, item := range strings.Split(text, ".") {
		m := itemPattern.FindStringSubmatch(strings.TrimSpace(item))
		switch {
		case m == nil:
			return nil, errPath
		case m[1] != "":
			steps = append(steps, step{name: m[1]})
		case m[2] != "":
			steps = append(steps, descendant(m[2], m[3]))
		default:
			var err error
			if steps, err = limit(steps, m[4]); err != nil {
				return nil, err
			}
		}
	}
	return steps, nil
}

var errPath = fmt.Errorf("only element names, nodesByType, nodesByName, as and ofType are supported yet")

func limit(steps []step, typ string) ([]step, error) {
	if len(steps) == 0 || steps[len(steps)-1].typ != "" {
		return nil, errPath
	}
	steps[len(steps)-1].typ = typ
	return steps, nil
}

// applies reports whether a rule of this route is looked at in a resource.
func (r *route) applies(resource string) bool {
	switch r.prefix {
	case "", "Resource", "DomainResource", resource:
		return true
	}
	return false
}
