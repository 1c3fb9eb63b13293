package azure

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// eventsDir is the package that names the messages of all.
const eventsDir = "internal/pipeline"

// logLines returns the lines that a package logs: the attributes of each message.
func logLines(t *testing.T, dir string, into map[string]map[string]bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no package in %s: %v", dir, err)
	}
	if dir != eventsDir {
		files = append(files, filepath.Join(root, eventsDir, "events.go"))
	}
	var parsed []*ast.File
	constants := make(map[string]string)
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
		ast.Inspect(file, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Names) == len(v.Values) {
				for i, name := range v.Names {
					if s, ok := literal(v.Values[i], nil); ok {
						constants[name.Name] = s
					}
				}
			}
			return true
		})
	}
	for _, file := range parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			args := call.Args
			switch method.Sel.Name {
			case "DebugContext", "InfoContext", "WarnContext", "ErrorContext":
				args = args[1:]
			case "Debug", "Info", "Warn", "Error":
			default:
				return true
			}
			if len(args) == 0 {
				return true
			}
			msg, ok := literal(args[0], constants)
			if !ok {
				return true
			}
			if into[msg] == nil {
				into[msg] = make(map[string]bool)
			}
			for i := 1; i < len(args); i += 2 {
				if key, ok := literal(args[i], constants); ok {
					into[msg][key] = true
				}
			}
			return true
		})
	}
}

// literal is the text of a string literal, or of a constant.
func literal(e ast.Expr, constants map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, err := strconv.Unquote(e.Value)
			return s, err == nil
		}
	case *ast.Ident:
		s, ok := constants[e.Name]
		return s, ok
	case *ast.SelectorExpr: // pipeline.EventTimer
		s, ok := constants[e.Sel.Name]
		return s, ok
	}
	return "", false
}

// queries returns all queries over logs: of the alerts and of the workbook.
func queries(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	files, err := filepath.Glob("queries/*.kql")
	if err != nil {
		t.Fatal(err)
	}
	alerts := read(t, "alerts.bicep")
	for _, f := range files {
		all[f] = read(t, f)
		if !strings.Contains(alerts, "loadTextContent('"+filepath.ToSlash(f)+"')") {
			t.Errorf("no alert reads %s", f)
		}
	}
	var book struct {
		Items []struct {
			Name    string
			Content struct{ Query string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "workbook.json")), &book); err != nil {
		t.Fatal(err)
	}
	for _, item := range book.Items {
		if item.Content.Query != "" {
			all["workbook: "+item.Name] = item.Content.Query
		}
	}
	if len(all) < 10 {
		t.Fatalf("there are %d queries", len(all))
	}
	return all
}

var (
	oneMessage  = regexp.MustCompile(`line\.msg == '([^']+)'`)
	anyMessage  = regexp.MustCompile(`line\.msg in \(([^)]+)\)`)
	notMessage  = regexp.MustCompile(`line\.msg != '([^']+)'`)
	attribute   = regexp.MustCompile(`line\.(\w+)`)
	comparedTo  = regexp.MustCompile(`line\.state in \(([^)]+)\)`)
	fromLines   = "AppTraces"
	alwaysThere = []string{"msg", "time", "level", "function", "invocation"} // slog's own, and every invocation's
)

// TestQueriesReadWhatIsLogged: every message that a query asks for is logged, with
// the attributes that it reads.
func TestQueriesReadWhatIsLogged(t *testing.T) {
	logged := make(map[string]map[string]bool)
	logLines(t, eventsDir, logged)
	logLines(t, "handlers", logged)
	for name, query := range queries(t) {
		if !strings.Contains(query, fromLines) {
			continue
		}
		var messages []string
		for _, re := range []*regexp.Regexp{oneMessage, notMessage} {
			for _, m := range re.FindAllStringSubmatch(query, -1) {
				messages = append(messages, m[1])
			}
		}
		for _, m := range anyMessage.FindAllStringSubmatch(query, -1) {
			messages = append(messages, texts(m[1])...)
		}
		if len(messages) == 0 {
			t.Errorf("%s asks for no message", name)
		}
		attributes := make(map[string]bool)
		for _, m := range messages {
			if logged[m] == nil {
				t.Errorf("%s asks for %q, which nothing logs", name, m)
			}
			for a := range logged[m] {
				attributes[a] = true
			}
		}
		for _, m := range attribute.FindAllStringSubmatch(query, -1) {
			if !attributes[m[1]] && !slices.Contains(alwaysThere, m[1]) {
				t.Errorf("%s reads line.%s, which no line has that it asks for", name, m[1])
			}
		}
		for _, m := range comparedTo.FindAllStringSubmatch(query, -1) {
			for _, state := range texts(m[1]) {
				if !isState(t, state) {
					t.Errorf("%s asks for the state %q, which no run has", name, state)
				}
			}
		}
	}
}

// isState reports whether a run can be in a state.
func isState(t *testing.T, state string) bool {
	t.Helper()
	return regexp.MustCompile(`State = "` + state + `"`).MatchString(read(t, filepath.Join(root, "internal/ledger/state.go")))
}

// TestAlertsAreComplete: what has to wake somebody does.
func TestAlertsAreComplete(t *testing.T) {
	all := queries(t)
	for file, wants := range map[string][]string{
		"queries/no-release.kql":      {"run released", "26h", "summarize releases = count()"},
		"queries/run-ended-badly.kql": {"held", "failed", "run refused"},
		"queries/findings.kql":        {"line.hard"},
		"queries/poison.kql":          {"-poison"},
	} {
		for _, want := range wants {
			if !strings.Contains(all[file], want) {
				t.Errorf("%s does not ask for %q", file, want)
			}
		}
	}
	alerts := read(t, "alerts.bicep")
	for _, want := range []string{"DroppedEventCount", "DeadLetteredCount", "actionGroups: [people.id]", "column: 'releases'"} {
		if !strings.Contains(alerts, want) {
			t.Errorf("alerts.bicep does not say %s", want)
		}
	}
}
