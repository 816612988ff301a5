-- Bonafix in Neovim 0.11 or newer: put this file at lua/bonafix.lua in your
-- configuration, and call require('bonafix').setup() in init.lua.
--
--   :Bonafix fix       work on the failing test under the cursor
--   :Bonafix preview   what was found, with the diff, before anything is applied
--   :Bonafix apply     apply the verified fix
--   :Bonafix explain   why the test fails; no model is asked
--   :Bonafix test      run this file's tests; :Bonafix failed, :Bonafix all
--   :Bonafix cancel    stop whatever runs
--   :Bonafix doctor    how the tests are run, and what is wrong with that
--
-- require('bonafix').status() is one line for your statusline.

local M = {}
local markers = { 'pyproject.toml', 'pytest.ini', 'tox.ini', 'setup.cfg', '.git' }
local works = {} -- progress token -> { client, text }

--- @param options? { cmd?: string[], settings?: table }
function M.setup(options)
  options = options or {}
  vim.lsp.config('bonafix', {
    cmd = options.cmd or { 'bonafix', 'lsp' },
    filetypes = { 'python' },
    root_dir = function(buffer, on_root)
      local file = vim.api.nvim_buf_get_name(buffer)
      on_root(vim.fs.root(buffer, markers) or vim.fs.dirname(file))
    end,
    settings = { bonafix = options.settings or vim.empty_dict() },
  })
  vim.lsp.enable('bonafix')
  vim.api.nvim_create_autocmd('LspProgress', { callback = M.heard })
  vim.api.nvim_create_user_command('Bonafix', function(given)
    M.commands[given.args]()
  end, {
    nargs = 1,
    complete = function() return vim.tbl_keys(M.commands) end,
  })
end

--- Remembers what runs: Neovim itself shows nothing of it.
function M.heard(event)
  local client = vim.lsp.get_client_by_id(event.data.client_id)
  if not client or client.name ~= 'bonafix' then return end
  local token, value = event.data.params.token, event.data.params.value
  if value.kind == 'end' then
    works[token] = nil
  else
    local before = works[token] or { title = value.title }
    local text = before.title .. (value.message and ': ' .. value.message or '')
    works[token] = { client = client, title = before.title, text = text }
  end
  vim.cmd.redrawstatus()
end

--- @return string what runs now, "" if nothing does
function M.status()
  local texts = vim.tbl_map(function(work) return work.text end, vim.tbl_values(works))
  return table.concat(texts, ' | ')
end

--- Stops all that runs, through the server's own progress.
function M.cancel()
  for token, work in pairs(works) do
    work.client:notify('window/workDoneProgress/cancel', { token = token })
  end
end

-- Runs the action under the cursor whose title matches.
local function act(pattern)
  vim.lsp.buf.code_action({
    apply = true,
    filter = function(action) return action.title:match(pattern) ~= nil end,
  })
end

-- Asks the server for a command of its own.
local function execute(command, argument)
  local client = vim.lsp.get_clients({ bufnr = 0, name = 'bonafix' })[1]
  if not client then return vim.notify('Bonafix does not run for this buffer') end
  client:request('workspace/executeCommand', {
    command = command,
    arguments = { argument },
  }, function(problem)
    if problem then vim.notify(problem.message, vim.log.levels.WARN) end
  end)
end

local function here() return { uri = vim.uri_from_bufnr(0) } end

M.commands = {
  fix = function() act('^Fix .* with Bonafix$') end,
  preview = function() act('^Show evidence$') end,
  apply = function() act('^Apply verified fix') end,
  explain = function() act('^Explain') end,
  cancel = M.cancel,
  test = function() execute('bonafix.test', here()) end,
  failed = function()
    local argument = here()
    argument.lastFailed = true
    execute('bonafix.test', argument)
  end,
  all = function() execute('bonafix.test', vim.empty_dict()) end,
  doctor = function() execute('bonafix.doctor', vim.empty_dict()) end,
}

return M
