package funchost

import (
	"fmt"
	"regexp"
	"strings"
)

// settings are the app settings as the host sees them: the process environment
// with the values of local.settings.json laid over it. Names are compared
// without case and with "__" and ":" as the same separator, as .NET does.
type settings struct {
	environ []string          // as given to the handler
	values  map[string]string // normalised name → value
}

func newSettings(environ []string, over map[string]string) *settings {
	s := &settings{values: make(map[string]string)}
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			continue
		}
		if _, replaced := over[name]; replaced {
			continue
		}
		s.environ = append(s.environ, entry)
		s.values[settingKey(name)] = value
	}
	for name, value := range over {
		s.environ = append(s.environ, name+"="+value)
		s.values[settingKey(name)] = value
	}
	return s
}

func settingKey(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "__", ":"))
}

func (s *settings) lookup(name string) (string, bool) {
	v, ok := s.values[settingKey(name)]
	return v, ok
}

var percentName = regexp.MustCompile(`%([^%]+)%`)

// resolve replaces %NAME% by the setting of that name. A setting that does not
// exist is an error that names it.
func (s *settings) resolve(text string) (string, error) {
	var missing []string
	out := percentName.ReplaceAllStringFunc(text, func(m string) string {
		v, ok := s.lookup(m[1 : len(m)-1])
		if !ok {
			missing = append(missing, m[1:len(m)-1])
		}
		return v
	})
	if missing != nil {
		return "", fmt.Errorf("the setting %s does not exist", strings.Join(missing, ", "))
	}
	return out, nil
}

// expand is resolve for the command line of the handler, where a name that
// does not exist stays as it is.
func (s *settings) expand(text string) string {
	return percentName.ReplaceAllStringFunc(text, func(m string) string {
		if v, ok := s.lookup(m[1 : len(m)-1]); ok {
			return v
		}
		return m
	})
}
