// Renders templates of Vault's agent with Go's own text/template, as the agent does: one JSON line in, one out.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"text/template"
)

type question struct {
	Template string
	Secrets  map[string]any
	// error-on-missing-key
	Strict bool
}

type answer struct {
	Text  string `json:"text"`
	Error string `json:"error,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		// As Vault's client reads answers.
		decoder.UseNumber()
		if err := decoder.Decode(&asked); err != nil {
			panic(err)
		}
		text, err := render(asked)
		said := answer{Text: text}
		if err != nil {
			said.Error = err.Error()
		}
		if err := out.Encode(said); err != nil {
			panic(err)
		}
	}
}

type secret struct {
	Data map[string]any
}

func render(asked question) (string, error) {
	// What a path has is there or nothing is; the agent waits for it.
	read := func(path string) (*secret, error) {
		data, found := asked.Secrets[path].(map[string]any)
		if !found {
			return nil, nil
		}
		return &secret{Data: data}, nil
	}
	parsed := template.New("agent").Funcs(template.FuncMap{"secret": read})
	if asked.Strict {
		parsed = parsed.Option("missingkey=error")
	}
	parsed, err := parsed.Parse(asked.Template)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, nil); err != nil {
		return "", err
	}
	return text.String(), nil
}
