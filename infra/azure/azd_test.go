package azure

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAzd: azure.yaml names the templates and the hooks that are there, and both
// shells do the same.
func TestAzd(t *testing.T) {
	text := read(t, filepath.Join(root, "azure.yaml"))
	for _, want := range []string{"path: infra/azure", "module: main", "preprovision:", "postprovision:"} {
		if !strings.Contains(text, want) {
			t.Errorf("azure.yaml does not say %s", want)
		}
	}
	hooks := regexp.MustCompile(`run: (infra/azure/hooks/(\w+)\.(sh|ps1))`).FindAllStringSubmatch(text, -1)
	commands := make(map[string]map[string]string)
	command := regexp.MustCompile(`go run \./infra/azure/setup (\w+)`)
	for _, h := range hooks {
		m := command.FindStringSubmatch(read(t, filepath.Join(root, h[1])))
		if m == nil {
			t.Errorf("%s runs nothing", h[1])
			continue
		}
		if commands[h[2]] == nil {
			commands[h[2]] = make(map[string]string)
		}
		commands[h[2]][h[3]] = m[1]
		if info, err := os.Stat(filepath.Join(root, h[1])); err != nil || h[3] == "sh" && info.Mode()&0o100 == 0 {
			t.Errorf("%s cannot be run: %v", h[1], err)
		}
	}
	for hook, want := range map[string]string{"before": "check", "after": "after"} {
		if got := commands[hook]; got["sh"] != want || got["ps1"] != want {
			t.Errorf("the hook %s runs %q, want %s in both shells", hook, got, want)
		}
	}
}

// TestEnvironment: the variables that the parameter files read are those that the
// page beside them names.
func TestEnvironment(t *testing.T) {
	page := read(t, "README.md")
	variable := regexp.MustCompile(`readEnvironmentVariable\('(\w+)'`)
	for _, f := range []string{"main.bicepparam", "isolated.bicepparam"} {
		for _, m := range variable.FindAllStringSubmatch(read(t, f), -1) {
			if strings.HasPrefix(m[1], "AZURE_") { // azd's own
				continue
			}
			if !strings.Contains(page, "`"+m[1]+"`") {
				t.Errorf("%s reads %s, which README.md does not name", f, m[1])
			}
		}
	}
	// azd puts outputs into the environment: the second deployment must not read
	// there what the first one said.
	for _, m := range regexp.MustCompile(`(?m)^output (\w+)`).FindAllStringSubmatch(read(t, "main.bicep"), -1) {
		for _, f := range []string{"main.bicepparam", "isolated.bicepparam"} {
			if strings.Contains(read(t, f), "'"+m[1]+"'") {
				t.Errorf("%s reads %s, which is also an output", f, m[1])
			}
		}
	}
	// And the templates are all on the page.
	for file := range templates(t) {
		if !strings.Contains(page, "`"+file+"`") {
			t.Errorf("README.md does not name %s", file)
		}
	}
}

// TestFiveCommands: the way by azd has at most five, the same on both pages, and
// every command of setup that the page names is there.
func TestFiveCommands(t *testing.T) {
	block := func(page, head string) string {
		_, after, found := strings.Cut(page, "\n"+head+"\n")
		_, after, opened := strings.Cut(after, "```sh\n")
		commands, _, closed := strings.Cut(after, "```")
		if !found || !opened || !closed {
			t.Fatalf("there are no commands under %q", head)
		}
		return strings.TrimSpace(commands)
	}
	page := read(t, "README.md")
	azd := block(page, "### 1. azd")
	if n := strings.Count(azd, "\n") + 1; n > 5 || !strings.HasSuffix(azd, "azd up") {
		t.Errorf("azd takes %d commands:\n%s", n, azd)
	}
	if top := block(read(t, filepath.Join(root, "README.md")), "## Deploy"); top != azd {
		t.Errorf("the two pages differ:\n%s\n%s", top, azd)
	}
	program := read(t, "setup/main.go")
	for _, m := range regexp.MustCompile(`\./infra/azure/setup (\w+)`).FindAllStringSubmatch(page, -1) {
		if !strings.Contains(program, `"`+m[1]+`", `) {
			t.Errorf("README.md names `setup %s`, which there is not", m[1])
		}
	}
}
