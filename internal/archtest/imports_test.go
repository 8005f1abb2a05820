// Package archtest holds the rules about who may import whom, and who may touch files.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/alignpipe/alignpipe/"
	root   = "../.."
)

// stageBase is what a stage may import of ours.
var stageBase = []string{"internal/meter", "internal/vfs", "internal/deflate", "internal/inflate", "internal/bamrec", "internal/readsum"}

// mayImport lists, per folder, all of ours that it may import. Folders not listed may import
// anything but cmd; subfolders are separate.
var mayImport = map[string][]string{
	"reader":               stageBase,
	"mapper":               {"reader", "internal/affine", "internal/bases", "internal/syncmer", "internal/vfs", "internal/meter", "internal/bamrec", "internal/readsum"},
	"sorter":               stageBase,
	"bgzfout":              stageBase,
	"internal/inflate":     {"internal/meter", "internal/vfs"},
	"internal/deflate":     {},
	"internal/bamrec":      {},
	"internal/affine":      {},
	"internal/bases":       {},
	"internal/syncmer":     {},
	"internal/readsum":     {"internal/bamrec"},
	"internal/markdup":     {"internal/meter", "internal/vfs", "internal/bamrec"},
	"internal/meter":       {},
	"internal/host":        {},
	"internal/vfs":         {},
	"internal/vfs/faultfs": {"internal/vfs"},
	"internal/vfs/slowfs":  {"internal/vfs"},
	"internal/verdict":     {"internal/meter"},
	"internal/gather":      {"bgzfout", "sorter", "internal/bamrec", "internal/inflate", "internal/vfs"},
	"internal/report":      {"internal/host", "internal/meter", "internal/verdict"},
	"internal/model":       {},
}

// neverInStages are packages that only cmd, and what it calls directly, may know.
var neverInStages = []string{"log", "log/slog", "flag", "github.com/spf13/pflag"}

var stages = []string{"reader", "mapper", "sorter", "bgzfout", "internal/inflate", "internal/deflate", "internal/affine", "internal/bases", "internal/syncmer", "internal/bamrec", "internal/readsum", "internal/markdup", "internal/gather", "internal/meter", "internal/vfs", "internal/host", "internal/verdict"}

// fileCalls are the functions that open or change files.
var fileCalls = map[string][]string{
	"os": {"Open", "OpenFile", "OpenRoot", "OpenInRoot", "Create", "CreateTemp", "NewFile", "Mkdir", "MkdirAll", "MkdirTemp", "Rename", "Remove", "RemoveAll",
		"Link", "Symlink", "Truncate", "WriteFile", "ReadFile", "ReadDir", "DirFS", "CopyFS", "Chmod", "Chtimes"},
	"syscall":               {"Open", "Openat", "Rename", "Unlink", "Link", "Mkdir", "Creat", "Mmap"},
	"golang.org/x/sys/unix": {"Open", "Openat", "Rename", "Renameat", "Renameat2", "Unlink", "Unlinkat", "Link", "Linkat", "Mkdir", "Creat", "Mmap"},
}

// mayTouch may call them: the file layer, what reads the kernel's files under a root that tests
// replace, and programs that are no part of alignpipe. A folder ends in a slash.
var mayTouch = []string{"internal/vfs/", "internal/host/", "benchmarks/"}

// goFile is a parsed file of the module that is no test.
type goFile struct {
	dir string // from the module's root, "." for the root
	ast *ast.File
	fs  *token.FileSet
}

func moduleFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base == "testdata" || name != root && strings.HasPrefix(base, ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		files = append(files, goFile{filepath.ToSlash(rel), parsed, set})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no source files found")
	}
	return files
}

func TestImports(t *testing.T) {
	for _, f := range moduleFiles(t) {
		for _, spec := range f.ast.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why := refuse(f.dir, imported); why != "" {
				t.Errorf("%s: %s", f.fs.Position(spec.Pos()), why)
			}
		}
	}
}

// refuse says why a folder must not import a package, or "".
func refuse(dir, imported string) string {
	if slices.Contains(stages, dir) && slices.Contains(neverInStages, imported) {
		return dir + " reports facts, it does not log or parse flags: imports " + imported
	}
	if imported == "github.com/spf13/pflag" && dir != "cmd/alignpipe" {
		return "only cmd/alignpipe parses flags: " + dir + " imports " + imported
	}
	ours, ok := strings.CutPrefix(imported, module)
	if !ok {
		return ""
	}
	if strings.HasPrefix(ours, "cmd/") {
		return "nobody imports cmd: " + dir + " does"
	}
	if allowed, listed := mayImport[dir]; listed && !slices.Contains(allowed, ours) {
		return dir + " must not import " + ours
	}
	return ""
}

func TestRefuse(t *testing.T) {
	tests := []struct {
		dir, imported string
		refused       bool
	}{
		{"mapper", module + "reader", false},
		{"mapper", module + "sorter", true},
		{"mapper", module + "internal/affine", false},
		{"internal/affine", module + "internal/bamrec", true},
		{"internal/affine", "log", true},
		{"mapper", module + "internal/syncmer", false},
		{"internal/bases", module + "internal/syncmer", true},
		{"mapper", module + "internal/inflate", true},
		{"sorter", module + "reader", true},
		{"bgzfout", module + "sorter", true},
		{"bgzfout", module + "internal/meter", false},
		{"reader", "log/slog", true},
		{"reader", "github.com/klauspost/compress/s2", false},
		{"internal/meter", module + "internal/vfs", true},
		{"internal/host", module + "internal/meter", true},
		{"internal/pipeline", module + "internal/host", false},
		{"internal/pipeline", module + "mapper", false},
		{"internal/pipeline", "github.com/spf13/pflag", true},
		{"internal/report", module + "internal/verdict", false},
		{"internal/verdict", module + "internal/report", true},
		{"internal/markdup", module + "mapper", true},
		{"internal/markdup", module + "internal/bamrec", false},
		{"cmd/alignpipe", "github.com/spf13/pflag", false},
		{"internal/pipeline", module + "cmd/alignpipe", true},
	}
	for _, tt := range tests {
		if why := refuse(tt.dir, tt.imported); (why != "") != tt.refused {
			t.Errorf("%s importing %s: %q, want refused %t", tt.dir, tt.imported, why, tt.refused)
		}
	}
}

func TestOnlyTheFileLayerTouchesFiles(t *testing.T) {
	for _, f := range moduleFiles(t) {
		name := f.dir + "/" + filepath.Base(f.fs.File(f.ast.Pos()).Name())
		if slices.ContainsFunc(mayTouch, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			continue
		}
		for _, at := range touches(f.ast) {
			t.Errorf("%s: files are opened and changed through internal/vfs", f.fs.Position(at))
		}
	}
}

// touches finds the uses of fileCalls, but for reading a file of the kernel by a literal name.
func touches(f *ast.File) []token.Pos {
	banned := map[string][]string{} // local package name -> functions
	for _, spec := range f.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if names, ok := fileCalls[imported]; ok {
			local := path.Base(imported)
			if spec.Name != nil {
				local = spec.Name.Name
			}
			banned[local] = names
		}
	}
	var found []token.Pos
	exempt := map[ast.Node]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 0 && kernelFile(call.Args[0]) {
			exempt[call.Fun] = true
		}
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || exempt[sel] {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && slices.Contains(banned[pkg.Name], sel.Sel.Name) {
			found = append(found, sel.Pos())
		}
		return true
	})
	return found
}

// kernelFile tells whether an expression is a literal, or begins with one, under /proc or /sys.
func kernelFile(e ast.Expr) bool {
	for {
		sum, ok := e.(*ast.BinaryExpr)
		if !ok {
			break
		}
		e = sum.X
	}
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return false
	}
	name, _ := strconv.Unquote(lit.Value)
	return strings.HasPrefix(name, "/proc/") || strings.HasPrefix(name, "/sys/")
}

func TestTouches(t *testing.T) {
	tests := []struct {
		name, source string
		want         int
	}{
		{"opening a file", `import "os"; var _, _ = os.Open("x")`, 1},
		{"under another name", `import sys "os"; var _ = sys.Rename`, 1},
		{"not by a call", `import "os"; var open = os.Create`, 1},
		{"around the os package", `import "golang.org/x/sys/unix"; var _ = unix.Unlink("x")`, 1},
		{"the kernel's files", `import "os"; var _, _ = os.ReadFile("/proc/self/status")`, 0},
		{"the kernel's files, name put together", `import "os"; var d string; var _, _ = os.ReadFile("/sys/fs/cgroup/" + d + "/cpu.max")`, 0},
		{"harmless uses of os", `import "os"; var _, _ = os.Getpid(), os.Stdout`, 0},
		{"a package of ours that is called os", `import "example.org/os"; var _, _ = os.Open("x")`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x; "+tt.source, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := touches(f); len(got) != tt.want {
				t.Errorf("%d uses found, want %d", len(got), tt.want)
			}
		})
	}
}

func TestOnlyCmdExits(t *testing.T) {
	for _, f := range moduleFiles(t) {
		if strings.HasPrefix(f.dir, "cmd/") || f.ast.Name.Name == "main" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Exit" {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "os" {
					t.Errorf("%s: only cmd may end the program", f.fs.Position(sel.Pos()))
				}
			}
			return true
		})
	}
}
