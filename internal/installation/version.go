package installation

import "runtime/debug"

// revision is the commit, set by the linker when the app is packaged: what Go
// writes by itself depends on the folder that it builds in.
var revision string

// Version names this build: the revision it was packaged from, the module's
// version, or the revision that Go found, whichever there is, else "dev".
func Version() string {
	if len(revision) >= 12 {
		return revision[:12]
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	return "dev"
}
