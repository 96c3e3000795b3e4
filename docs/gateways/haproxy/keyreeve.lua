-- Asks Keyreeve whether a request may pass: `http-request lua.keyreeve`. See ../haproxy.md for the configuration.
--
-- Reads txn.keyreeve_action and txn.keyreeve_resource. Sets txn.keyreeve_status (204: may pass) and, from the
-- answer, the variables of ANSWER_HEADERS. An error in here leaves txn.keyreeve_status unset, and HAProxy goes on
-- with the request: the configuration must let nothing pass but 204.

-- The listener of haproxy.cfg in front of Keyreeve: it knows the address, the name, the deadlines and TLS.
local ADDRESS = "http://127.0.0.1:8081/v1/authorize"

-- Longer than the deadlines of that listener: it answers 503 or 504 before.
local TIMEOUT_MS = 10000

local CREDENTIAL_HEADERS = { "authorization", "x-api-key", "x-nuget-apikey" }

local ANSWER_HEADERS = {
  ["www-authenticate"] = "txn.keyreeve_challenge",
  ["x-keyreeve-reason"] = "txn.keyreeve_reason",
  ["x-keyreeve-account"] = "txn.keyreeve_account",
  ["x-keyreeve-account-kind"] = "txn.keyreeve_account_kind",
  ["x-keyreeve-account-login"] = "txn.keyreeve_account_login",
  ["x-keyreeve-key-id"] = "txn.keyreeve_key_id",
  ["x-keyreeve-workspace"] = "txn.keyreeve_workspace",
}

-- Everything but letters and digits as %XX, so that no value can end and another parameter begin.
local function encode(text)
  return (text:gsub("[^A-Za-z0-9]", function(character)
    return string.format("%%%02X", character:byte())
  end))
end

local function authorize(txn)
  local action = txn:get_var("txn.keyreeve_action")
  local resource = txn:get_var("txn.keyreeve_resource")
  -- Without an action Keyreeve would only authenticate, and every key of the workspace would pass.
  if action == nil or resource == nil then
    txn:set_var("txn.keyreeve_status", 500)
    return
  end

  -- Every value of a repeated header goes along: Keyreeve refuses two credentials, whereas one of them picked here
  -- could be another than the one that the service behind picks.
  local presented = txn.http:req_get_headers()
  local headers = { ["x-forwarded-for"] = { txn.f:src() } }
  for _, name in ipairs(CREDENTIAL_HEADERS) do
    headers[name] = presented[name]
  end

  local answer = core.httpclient():get({
    url = ADDRESS .. "?action=" .. encode(action) .. "&resource=" .. encode(resource),
    headers = headers,
    timeout = TIMEOUT_MS,
  })
  txn:set_var("txn.keyreeve_status", answer.status)
  for name, variable in pairs(ANSWER_HEADERS) do
    local values = answer.headers[name]
    if values ~= nil then
      -- HAProxy counts the values of a header from 0.
      txn:set_var(variable, values[0])
    end
  end
end

core.register_action("keyreeve", { "http-req" }, authorize, 0)
