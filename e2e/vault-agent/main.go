// The engine with which Vault's agent renders its templates (consul-template, in the version that this Vault requires), set as the
// agent sets it for what Vault's agent injector writes into its configuration (`exit_after_auth`, no retries). Reads from standard input
// {"address", "token", "templates": [{"contents", "destination", "errorOnMissingKey"}]}, renders each once, and ends; with exit code 1
// and the reason where one can't be rendered.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/hashicorp/consul-template/config"
	"github.com/hashicorp/consul-template/logging"
	"github.com/hashicorp/consul-template/manager"
)

type input struct {
	Address   string
	Token     string
	Templates []struct {
		Contents          string
		Destination       string
		ErrorOnMissingKey bool
	}
}

func main() {
	var in input
	check(json.NewDecoder(os.Stdin).Decode(&in))
	check(logging.Setup(&logging.Config{Level: "ERR", Writer: io.Discard}))
	no := false
	conf := config.DefaultConfig()
	conf.Once = true
	conf.Vault.Address = &in.Address
	conf.Vault.Token = &in.Token
	conf.Vault.RenewToken = &no
	conf.Vault.Retry = &config.RetryConfig{Enabled: &no}
	templates := config.TemplateConfigs{}
	for _, t := range in.Templates {
		one := config.TemplateConfig{
			Contents:      &t.Contents,
			Destination:   &t.Destination,
			ErrMissingKey: &t.ErrorOnMissingKey,
		}
		templates = append(templates, &one)
	}
	conf.Templates = &templates
	conf.Finalize()
	runner, err := manager.NewRunner(conf, false)
	check(err)
	go runner.Start()
	select {
	case err := <-runner.ErrCh:
		check(err)
	case <-runner.DoneCh:
	}
	runner.Stop()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
