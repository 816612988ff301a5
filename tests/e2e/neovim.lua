-- A user of Neovim with the file from docs/editors: opens the failing test, stops a
-- first fix, takes a second one, looks at it, applies it, saves.
-- Run with `nvim --headless --clean -l neovim.lua`; prints one JSON object.

local server = vim.json.decode(vim.env.BONAFIX_SERVER)
local options = vim.json.decode(vim.env.BONAFIX_OPTIONS)
local deadline = vim.uv.now() + 240 * 1000 -- milliseconds
local report = { messages = {} }

vim.lsp.handlers['window/showMessage'] = function(_, params)
  table.insert(report.messages, params.message)
end

local function finish(problem)
  report.problem = problem
  io.stdout:write(vim.json.encode(report) .. '\n')
  vim.lsp.stop_client(vim.lsp.get_clients())
  vim.wait(10 * 1000, function() return #vim.lsp.get_clients() == 0 end, 50)
  os.exit(problem and 1 or 0)
end

local function await(what, done)
  vim.uv.update_time()
  local left = math.max(0, deadline - vim.uv.now())
  if not vim.wait(left, done, 50) then finish('waited in vain for ' .. what) end
end

local function said(pattern)
  for _, message in ipairs(report.messages) do
    if message:match(pattern) then return message end
  end
end

local bonafix = dofile(vim.env.BONAFIX_LUA)
bonafix.setup({ cmd = server, settings = options })
vim.cmd('filetype on')
vim.cmd.edit('test_calc.py')
local test = vim.api.nvim_get_current_buf()

await('the diagnostic', function() return #vim.diagnostic.get(test) > 0 end)
local shown = vim.diagnostic.get(test)[1]
report.diagnostic = {
  line = shown.lnum, source = shown.source, code = shown.code, message = shown.message,
}
vim.api.nvim_win_set_cursor(0, { shown.lnum + 1, shown.col })

vim.cmd('Bonafix fix')
await('its progress', function() return bonafix.status():match('fixing test_total: %w') end)
report.status = bonafix.status()
vim.cmd('Bonafix cancel')
await('its end', function() return said('was cancelled') and bonafix.status() == '' end)

vim.cmd('Bonafix fix')
await('the fix', function() return said('fix for .* is ready') or said('[Nn]o fix') end)

vim.cmd('Bonafix preview')
await('the evidence', function() return vim.api.nvim_buf_get_name(0):match('%.md$') end)
report.page = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\n')
vim.cmd.buffer(test)
vim.api.nvim_win_set_cursor(0, { shown.lnum + 1, shown.col })

vim.cmd('Bonafix apply')
await('the edit', function()
  local product = vim.fn.bufnr('calc.py')
  return product > 0 and vim.bo[product].modified
end)
await('its confirmation', function() return said('applied .* fix') end)

vim.cmd('wall')
await('the green run', function() return #vim.diagnostic.get(test) == 0 end)
finish(nil)
