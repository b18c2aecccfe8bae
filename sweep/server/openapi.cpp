#include "sweep/server/openapi.h"

namespace etude::sweep {
namespace {

constexpr const char* kPaths = R"json({
  "/api/study": {"get": {
    "operationId": "study", "summary": "What is searched, by whom, within which budget, and how far it is.",
    "responses": {"200": {"$ref": "#/components/responses/Study"}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/api/trials": {
    "get": {
      "operationId": "trials", "summary": "The trials that changed after a revision; all of them without one.",
      "parameters": [
        {"name": "since", "in": "query", "description": "The revision of the last answer.",
         "schema": {"type": "integer", "minimum": 0}},
        {"name": "incarnation", "in": "query",
         "description": "The incarnation of the last answer. Where the controller was started anew since, all trials come.",
         "schema": {"type": "string"}},
        {"name": "limit", "in": "query",
         "description": "No more than about so many, those that changed first; the answer's revision is then theirs.",
         "schema": {"type": "integer", "minimum": 1}}],
      "responses": {"200": {"$ref": "#/components/responses/Trials"}, "default": {"$ref": "#/components/responses/Error"}}},
    "post": {
      "operationId": "ask", "summary": "Asks for a trial to work on. The same request is answered with the same trial.",
      "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}}},
      "responses": {"200": {"$ref": "#/components/responses/Order"}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/api/trials/{number}": {
    "parameters": [{"$ref": "#/components/parameters/Number"}],
    "get": {
      "operationId": "trial", "summary": "One trial.",
      "responses": {"200": {"$ref": "#/components/responses/Trial"}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/api/trials/{number}/reports": {
    "parameters": [{"$ref": "#/components/parameters/Number"}],
    "post": {
      "operationId": "report",
      "summary": "Measurements on the way, answered with what is to become of the trial. An empty list says that it lives. A step that is known already changes nothing.",
      "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reports"}}}},
      "responses": {"200": {"$ref": "#/components/responses/Answer"}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/api/trials/{number}/end": {
    "parameters": [{"$ref": "#/components/parameters/Number"}],
    "post": {
      "operationId": "end", "summary": "How the trial ended. Said twice, the first holds.",
      "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/End"}}}},
      "responses": {"200": {"$ref": "#/components/responses/Done"}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/api/trials/{number}/retry": {
    "parameters": [{"$ref": "#/components/parameters/Number"}],
    "post": {
      "operationId": "retry", "summary": "A failed or pruned trial once more, as a new one, from its checkpoint where it has one.",
      "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Word"}}}},
      "responses": {"200": {"$ref": "#/components/responses/Numbered"}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/api/trials/{number}/prune": {
    "parameters": [{"$ref": "#/components/parameters/Number"}],
    "post": {
      "operationId": "prune", "summary": "Ends a running trial, pruned.",
      "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Nothing"}}}},
      "responses": {"200": {"$ref": "#/components/responses/Done"}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/api/enqueue": {"post": {
    "operationId": "enqueue", "summary": "A configuration to be tried before others; what it leaves open is sampled.",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Enqueue"}}}},
    "responses": {"200": {"$ref": "#/components/responses/Numbered"}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/api/stop": {"post": {
    "operationId": "stop", "summary": "Begins nothing new, and stops what runs with a checkpoint. Running the sweep again goes on.",
    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Nothing"}}}},
    "responses": {"200": {"$ref": "#/components/responses/Done"}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/api/importance": {"get": {
    "operationId": "importance", "summary": "How much of the variance of an objective is owed to each parameter (fANOVA).",
    "parameters": [{"name": "objective", "in": "query", "schema": {"type": "integer", "minimum": 0, "default": 0}}],
    "responses": {"200": {"$ref": "#/components/responses/Importance"}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/api/best": {"get": {
    "operationId": "best", "summary": "The best trial, or those of the Pareto front, and the first one's experiment, ready to train.",
    "responses": {"200": {"$ref": "#/components/responses/Best"}, "default": {"$ref": "#/components/responses/Error"}}}},
  "/api/openapi.json": {"get": {
    "operationId": "openapi", "summary": "This description.",
    "responses": {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}}}}},
  "/healthz": {"get": {
    "operationId": "health", "summary": "Whether the controller answers.", "security": [],
    "responses": {"200": {"description": "It does.", "content": {"application/json": {"schema": {
      "type": "object", "required": ["ok"], "additionalProperties": false, "properties": {"ok": {"const": true}}}}}}}}}
})json";

constexpr const char* kRequests = R"json({
  "Word": {"type": "object", "required": ["request"], "additionalProperties": false, "properties": {
    "request": {"$ref": "#/components/schemas/Request"}}},
  "Request": {"type": "string", "minLength": 1, "maxLength": 256,
    "description": "The caller's own unique word for this question (a UUID): asked again with it, the answer is the same and nothing changes."},
  "Nothing": {"type": "object", "additionalProperties": false},
  "Number": {"description": "A number, also one that JSON has none for.",
    "oneOf": [{"type": "number"}, {"enum": ["nan", "inf", "-inf"]}]},
  "Quantity": {"type": "number", "minimum": 0, "maximum": 1000000000},
  "Value": {"type": ["number", "string", "boolean", "null"]},
  "Metrics": {"type": "object", "maxProperties": 256, "additionalProperties": {"$ref": "#/components/schemas/Number"},
    "description": "By name; those of the study are the objectives."},
  "Ask": {"type": "object", "required": ["request", "worker"], "additionalProperties": false, "properties": {
    "request": {"$ref": "#/components/schemas/Request"},
    "worker": {"type": "object", "required": ["name"], "additionalProperties": false, "properties": {
      "name": {"type": "string", "minLength": 1, "maxLength": 256}, "host": {"type": "string", "maxLength": 256},
      "nodes": {"$ref": "#/components/schemas/Quantity"}, "cores": {"$ref": "#/components/schemas/Quantity"},
      "gpus": {"$ref": "#/components/schemas/Quantity"}}}}},
  "Report": {"type": "object", "required": ["step"], "additionalProperties": false,
    "oneOf": [{"required": ["value"]}, {"required": ["metrics"]}], "properties": {
    "step": {"type": "integer", "minimum": 0, "maximum": 9007199254740991},
    "value": {"$ref": "#/components/schemas/Number"}, "metrics": {"$ref": "#/components/schemas/Metrics"}}},
  "Reports": {"type": "object", "required": ["reports"], "additionalProperties": false, "properties": {
    "reports": {"type": "array", "maxItems": 10000, "items": {"$ref": "#/components/schemas/Report"}}}},
  "End": {"type": "object", "required": ["state"], "additionalProperties": false, "properties": {
    "state": {"enum": ["COMPLETE", "PRUNED", "FAIL"]},
    "value": {"$ref": "#/components/schemas/Number"},
    "values": {"type": "array", "items": {"$ref": "#/components/schemas/Number"}},
    "metrics": {"$ref": "#/components/schemas/Metrics"},
    "reason": {"type": "string", "maxLength": 8192}}},
  "Enqueue": {"type": "object", "required": ["request", "parameters"], "additionalProperties": false, "properties": {
    "request": {"$ref": "#/components/schemas/Request"},
    "parameters": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Value"}}}}
})json";

constexpr const char* kAnswers = R"json({
  "Error": {"type": "object", "required": ["error"], "additionalProperties": false, "properties": {
    "error": {"type": "string", "description": "What is wrong, in a sentence."}}},
  "Time": {"type": "number", "description": "Seconds since 1970, UTC."},
  "Revision": {"type": "integer", "minimum": 0},
  "TrialNumber": {"type": "integer", "minimum": 0},
  "Distribution": {"type": "object", "required": ["name", "attributes"], "additionalProperties": false,
    "description": "In Optuna's spelling.", "properties": {
    "name": {"enum": ["FloatDistribution", "IntDistribution", "CategoricalDistribution"]},
    "attributes": {"type": "object"}}},
  "Usage": {"type": "object", "required": ["trials", "wall", "gpu_hours", "core_hours", "cost", "currency"],
    "additionalProperties": false, "description": "null: no bound.", "properties": {
    "trials": {"type": ["integer", "null"]}, "wall": {"type": ["number", "null"], "description": "Seconds."},
    "gpu_hours": {"type": ["number", "null"]}, "core_hours": {"type": ["number", "null"]},
    "cost": {"type": ["number", "null"]}, "currency": {"type": ["string", "null"]}}},
  "Study": {"type": "object", "additionalProperties": false,
    "required": ["name", "directions", "metrics", "parameters", "sampler", "pruner", "budget", "spent", "counts",
                 "best", "over", "now", "version", "incarnation", "revision", "read_only"], "properties": {
    "name": {"type": "string"},
    "directions": {"type": "array", "items": {"enum": ["minimize", "maximize"]}},
    "metrics": {"type": "array", "items": {"type": "string"}},
    "parameters": {"type": "array", "items": {"type": "object", "required": ["name", "distribution", "when"],
      "additionalProperties": false, "properties": {
        "name": {"type": "string"}, "distribution": {"$ref": "#/components/schemas/Distribution"},
        "when": {"type": "object", "description": "There is such a parameter only where these have one of these values.",
          "additionalProperties": {"type": "array", "items": {"$ref": "#/components/schemas/Value"}}}}}},
    "sampler": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}},
    "pruner": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}},
    "budget": {"$ref": "#/components/schemas/Usage"}, "spent": {"$ref": "#/components/schemas/Usage"},
    "counts": {"type": "object", "additionalProperties": false,
      "required": ["RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING", "PAUSED"], "properties": {
        "RUNNING": {"type": "integer"}, "COMPLETE": {"type": "integer"}, "PRUNED": {"type": "integer"},
        "FAIL": {"type": "integer"}, "WAITING": {"type": "integer"}, "PAUSED": {"type": "integer"}}},
    "best": {"type": "array", "items": {"$ref": "#/components/schemas/TrialNumber"}},
    "over": {"type": "string", "description": "Why nothing new is begun; empty while the sweep goes on."},
    "now": {"$ref": "#/components/schemas/Time"}, "version": {"type": "string"}, "incarnation": {"type": "string"},
    "revision": {"$ref": "#/components/schemas/Revision"}, "read_only": {"type": "boolean"}}},
  "Stint": {"type": "object", "additionalProperties": false, "description": "One time that somebody worked on a trial.",
    "required": ["worker", "host", "began", "ended", "open", "nodes", "cores", "gpus"], "properties": {
    "worker": {"type": "string"}, "host": {"type": "string"}, "began": {"$ref": "#/components/schemas/Time"},
    "ended": {"$ref": "#/components/schemas/Time"}, "open": {"type": "boolean"}, "nodes": {"type": "number"},
    "cores": {"type": "number"}, "gpus": {"type": "number"}}},
  "Trial": {"type": "object", "additionalProperties": false,
    "required": ["number", "state", "values", "parameters", "reports", "began", "ended", "parent", "reason", "retries",
                 "user_attributes", "stints", "folder"], "properties": {
    "number": {"$ref": "#/components/schemas/TrialNumber"},
    "state": {"enum": ["RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING", "PAUSED"]},
    "values": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Number"}},
    "parameters": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Value"}},
    "reports": {"type": "array", "items": {"type": "array", "minItems": 2, "maxItems": 2,
      "prefixItems": [{"type": "integer"}, {"$ref": "#/components/schemas/Number"}]}},
    "began": {"oneOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
    "ended": {"oneOf": [{"$ref": "#/components/schemas/Time"}, {"type": "null"}]},
    "parent": {"oneOf": [{"$ref": "#/components/schemas/TrialNumber"}, {"type": "null"}]},
    "reason": {"type": "string"}, "retries": {"type": "integer", "minimum": 0},
    "user_attributes": {"type": "object"},
    "stints": {"type": "array", "items": {"$ref": "#/components/schemas/Stint"}},
    "folder": {"type": "string"}}},
  "Trials": {"type": "object", "required": ["incarnation", "revision", "trials"], "additionalProperties": false,
    "properties": {"incarnation": {"type": "string"}, "revision": {"$ref": "#/components/schemas/Revision"},
    "trials": {"type": "array", "items": {"$ref": "#/components/schemas/Trial"}}}},
  "Order": {"type": "object", "required": ["trial"], "additionalProperties": false, "properties": {
    "trial": {"oneOf": [{"type": "null"}, {"type": "object", "additionalProperties": false,
      "required": ["number", "parameters", "parent", "resumed_at", "lease"], "properties": {
        "number": {"$ref": "#/components/schemas/TrialNumber"},
        "parameters": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Value"}},
        "parent": {"description": "Go on from the checkpoint of that trial.",
          "oneOf": [{"$ref": "#/components/schemas/TrialNumber"}, {"type": "null"}]},
        "resumed_at": {"type": ["integer", "null"], "description": "It was begun before: the step of its last report."},
        "lease": {"type": "number", "description": "Seconds within which to say something of it."}}}]},
    "over": {"type": "string", "description": "Where there is no trial: why never again; empty when there may be one later."}}},
  "Answer": {"type": "object", "required": ["verdict", "reason", "allowance"], "additionalProperties": false, "properties": {
    "verdict": {"enum": ["continue", "prune", "pause", "finish"],
      "description": "All but the first: write a checkpoint, stop, and say how it ended."},
    "reason": {"type": "string"},
    "allowance": {"type": ["number", "null"],
      "description": "Seconds to go on without hearing from the controller, so that budgets hold; null for no bound."}}},
  "Numbered": {"type": "object", "required": ["number"], "additionalProperties": false,
    "properties": {"number": {"$ref": "#/components/schemas/TrialNumber"}}},
  "Importance": {"type": "object", "required": ["parameters", "trials"], "additionalProperties": false, "properties": {
    "trials": {"type": "integer", "minimum": 0},
    "parameters": {"type": "array", "items": {"type": "object", "required": ["name", "importance", "deviation"],
      "additionalProperties": false, "properties": {"name": {"type": "string"},
        "importance": {"$ref": "#/components/schemas/Number"}, "deviation": {"$ref": "#/components/schemas/Number"}}}}}},
  "Best": {"type": "object", "required": ["trials", "yaml"], "additionalProperties": false, "properties": {
    "trials": {"type": "array", "items": {"$ref": "#/components/schemas/Trial"}}, "yaml": {"type": "string"}}}
})json";

Json response(const char* description, const char* schema) {
  const std::string reference = std::string("#/components/schemas/") + schema;
  return {{"description", description}, {"content", {{"application/json", {{"schema", {{"$ref", reference}}}}}}}};
}

Json document() {
  Json schemas = Json::parse(kRequests);
  schemas.update(Json::parse(kAnswers));
  return {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "etude sweep"},
        {"version", "1"},
        {"summary", "A hyperparameter sweep: trials to work on, their reports, and what came of them."},
        {"description",
         "Refused requests are answered with 400 (no JSON), 401 (token), 403 (another site's page, or another "
         "machine's name), 404, 405, 409 (over already), 411 and 413 (length), 415 (not application/json), 422 (JSON, "
         "but not what is understood), 429 (too many a second) or 503 (not now). After 429 and 503 the same may be "
         "asked again: nothing is done twice."}}},
      {"security", {{{"token", Json::array()}}}},
      {"paths", Json::parse(kPaths)},
      {"components",
       {{"securitySchemes",
         {{"token",
           {{"type", "http"},
            {"scheme", "bearer"},
            {"description", "Asked for by every controller that listens on more than its own machine."}}}}},
        {"parameters",
         {{"Number",
           {{"name", "number"},
            {"in", "path"},
            {"required", true},
            {"schema", {{"$ref", "#/components/schemas/TrialNumber"}}}}}}},
        {"responses",
         {{"Study", response("The study.", "Study")},
          {"Trials", response("Trials.", "Trials")},
          {"Trial", response("The trial.", "Trial")},
          {"Order", response("A trial to work on, or none.", "Order")},
          {"Answer", response("What is to become of the trial.", "Answer")},
          {"Done", response("Done, now or before.", "Nothing")},
          {"Numbered", response("The trial's number.", "Numbered")},
          {"Importance", response("The importances.", "Importance")},
          {"Best", response("The best.", "Best")},
          {"Error", response("Refused, and why.", "Error")}}},
        {"schemas", std::move(schemas)}}}};
}

}  // namespace

const Json& openapi() {
  static const Json kDocument = document();
  return kDocument;
}

}  // namespace etude::sweep
