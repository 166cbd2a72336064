export { startCollector } from "./../telemetry/testing/start-collector.ts";
