package staging

import (
	"context"
	"os/exec"
	"strings"
)

// revision names the commit that is built, for the records of runs; "" where it
// cannot be told, or where the files are not those of a commit.
func revision(ctx context.Context, root string) string {
	git := func(args ...string) (string, bool) {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = root
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err == nil
	}
	if changed, ok := git("status", "--porcelain", "--untracked-files=no"); !ok || changed != "" {
		return ""
	}
	commit, _ := git("rev-parse", "HEAD")
	return commit
}
